"""Defines the bytes by which files are recognised."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
RIFF = b"RIFF"
"""The start of AVI, WAV and WebP."""
OGG = b"OggS"
FLAC = b"fLaC"
MP3 = (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")
"""The starts of MP3: a tag, or a frame of MPEG 1 or 2, with or without a checksum."""
ZIP = b"PK\x03\x04"
MATROSKA = b"\x1aE\xdf\xa3"
"""The start of Matroska and WebM."""
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"moof")
"""The names of the first box of an MP4 or MOV file or segment, which follow its size."""
