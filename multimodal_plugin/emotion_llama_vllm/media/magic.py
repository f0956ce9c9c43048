"""Defines the bytes by which files are recognised."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
RIFF = b"RIFF"
"""The start of AVI and WebP."""
ZIP = b"PK\x03\x04"
MATROSKA = b"\x1aE\xdf\xa3"
"""The start of Matroska and WebM."""
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"moof")
"""The names of the first box of an MP4 or MOV file or segment, which follow its size."""
