"""Detects from the structure of a file that its end is missing."""

from emotion_llama_vllm.media import magic

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675


def is_cut_off(data: bytes) -> bool:
    """Return whether an MP4, MOV, Matroska or WebM file is shorter than its structure says."""
    if data.startswith(magic.MATROSKA):
        return _reaches_past_end(data)
    return data[4:8] in magic.MP4_BOXES and _last_box_end(data) > len(data)


def _last_box_end(data: bytes) -> int:
    """Return the end of an MP4's last box, according to the sizes in the boxes."""
    position = 0
    while position + 8 <= len(data):
        size, header = int.from_bytes(data[position : position + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        if size < header:  # 0 means the rest of the file, any other size is damage
            return len(data)
        position += size
    return position


def _reaches_past_end(data: bytes) -> bool:
    """Return whether an element of a Matroska file ends after the end of the file."""
    position = 0
    while position < len(data):
        name, position = _read_number(data, position)
        size, position = _read_number(data, position)
        if size & size + 1 == 0:  # all bits are set: the element ends where the next one begins
            if name not in (_SEGMENT, _CLUSTER):
                return False  # the file is damaged
            continue
        position += size ^ 1 << size.bit_length() - 1
    return position > len(data)


def _read_number(data: bytes, position: int) -> tuple[int, int]:
    """Read a number whose first set bit gives its length; return it with that bit, and its end."""
    first = data[position] if position < len(data) else 0
    length = 9 - first.bit_length()
    end = position + length
    return int.from_bytes(data[position:end], "big"), end
