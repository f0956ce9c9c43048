"""Receives a multipart body whose file goes to the disk while it arrives."""

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from functools import partial

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from emotion_llama_server.files.objects import Incoming
from emotion_llama_server.strict_json import BodyError
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.read.threads import files

_MOST_FIELDS, _MOST_FIELD_BYTES = 8, 1024
_MOST_NAME = 255
_PIECE = 1 << 20
"""The number of bytes that are gathered before a thread writes them."""


@dataclass
class Upload:
    """Writes the part `file` to `incoming`, and keeps the other parts.

    Args:
        incoming: where the file goes.
        content_type: the request's header, with the boundary.
        most_bytes: the maximum size of the file.
    """

    incoming: Incoming
    content_type: str
    most_bytes: int
    filename: str | None = None
    """The file's name on the client's machine; None as long as no file has come."""
    fields: dict[str, str] = field(default_factory=dict)
    _name: str = ""
    _is_file: bool = False
    _is_whole: bool = False
    _text: bytearray = field(default_factory=bytearray)
    _header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))

    async def receive(self, pieces: AsyncIterable[bytes]) -> str:
        """Read the whole body; return the SHA-256 of the file.

        Raises:
            HTTPException: the body is no such form, or the file is too large.
            FieldError: there is no file, or there are too many other parts.
            StorageFull: there is no disk space for it.
        """
        parser, gathered = self._parser(), bytearray()
        try:
            async for piece in pieces:
                gathered += piece
                if len(gathered) >= _PIECE:
                    await files.run(partial(parser.write, bytes(gathered)))
                    gathered.clear()
            await files.run(partial(parser.write, bytes(gathered)))
        except FormParserError as error:
            raise _unreadable(str(error)) from error
        if not self._is_whole:
            raise _unreadable("it ends before its last boundary")
        if self.filename is None:
            raise FieldError("Send the file as the part `file`, with a name.", field="file")
        return await files.run(self.incoming.finish)

    def _parser(self) -> MultipartParser:
        kind, options = parse_options_header(self.content_type)
        boundary = options.get(b"boundary")
        if kind.lower() != b"multipart/form-data" or not boundary:
            raise BodyError("Send the file as `multipart/form-data`.", status=415)
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_header_name,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header,
                    "on_part_data": self._on_data,
                    "on_part_end": self._end,
                    "on_end": self._finish,
                },
            )
        except FormParserError as error:
            raise _unreadable(str(error)) from error

    def _begin(self) -> None:
        self._name, self._is_file = "", False
        self._text.clear()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header(self) -> None:
        name, value = map(bytes, self._header)
        for part in self._header:
            part.clear()
        if name.lower() != b"content-disposition":
            return
        _, options = parse_options_header(value)
        self._name = options.get(b"name", b"").decode(errors="replace")
        if self._name != "file":
            return
        if self.filename is not None:
            raise FieldError("Send one file in a request.", field="file")
        self.filename = options.get(b"filename", b"").decode(errors="replace")[:_MOST_NAME]
        self._is_file = True

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text.extend(data[start:end])
            if len(self._text) > _MOST_FIELD_BYTES:
                words = f"A field may have {_MOST_FIELD_BYTES} bytes."
                raise FieldError(words, field=self._name[:64])
            return
        if self.incoming.size + end - start > self.most_bytes:
            words = f"The file is over {self.most_bytes / 10**6:.4g} MB, the most that is taken."
            raise BodyError(words, status=413, param="file")
        self.incoming.write(data[start:end])

    def _end(self) -> None:
        if self._is_file:
            return
        if len(self.fields) >= _MOST_FIELDS:
            raise FieldError(f"A form may have {_MOST_FIELDS} fields.", field="file")
        self.fields[self._name] = self._text.decode(errors="replace")

    def _finish(self) -> None:
        self._is_whole = True


def _unreadable(why: str) -> HTTPException:
    return HTTPException(400, f"The multipart body cannot be read: {why}")
