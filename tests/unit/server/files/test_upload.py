"""A file goes to the disk while it arrives, whatever its size."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emotion_llama_server.files.objects import Incoming
from emotion_llama_server.files.upload import Upload
from emotion_llama_server.strict_json import BodyError

TYPE = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
MIB = 1 << 20


async def test_it_is_written_before_its_end_has_come(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path)
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield HEAD
        for _ in range(4):
            yield b"a" * MIB
            seen.append(incoming.size)
        yield b"\r\n--x--\r\n"

    await Upload(incoming, TYPE, 4 * MIB).receive(body())
    assert seen[-1] >= 3 * MIB
    assert incoming.size == 4 * MIB
    incoming.discard()
    assert _is_empty(tmp_path)


def _is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


async def test_one_that_is_too_large_is_refused_while_it_comes(tmp_path: Path) -> None:
    incoming, came = Incoming(tmp_path), []

    async def body() -> AsyncIterator[bytes]:
        yield HEAD
        for number in range(10):
            came.append(number)
            yield b"a" * MIB

    with pytest.raises(BodyError, match="the most that is taken") as refused:
        await Upload(incoming, TYPE, 2 * MIB).receive(body())
    assert refused.value.status_code == 413
    assert len(came) <= 4
    assert incoming.size <= 2 * MIB
    incoming.discard()


@pytest.mark.parametrize("size", range(1, 12))
async def test_the_pieces_of_the_body_do_not_matter(tmp_path: Path, size: int) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvision\r\n'
        + HEAD
        + b"\r\n--y\r\n--\r\n--x--\r\n"
    )

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    incoming = Incoming(tmp_path)
    upload = Upload(incoming, TYPE, MIB)
    await upload.receive(pieces())
    assert (upload.fields, upload.filename) == ({"purpose": "vision"}, "a")
    assert incoming.path.read_bytes() == b"\r\n--y\r\n--"
    incoming.discard()
