"""The events of a stream (`text/event-stream`), put together from whatever pieces arrive."""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from emotion_llama.errors import EmotionLLaMAError, InvalidAnswer
from emotion_llama.schema import (
    EmotionEvent,
    EmotionResponse,
    ErrorResponse,
    ExplanationDelta,
    TimelineWindow,
)

Event = EmotionEvent | ExplanationDelta | TimelineWindow | EmotionResponse

_KINDS: dict[str, type[BaseModel]] = {
    "emotion": EmotionEvent,
    "explanation.delta": ExplanationDelta,
    "timeline.window": TimelineWindow,
    "done": EmotionResponse,
    "error": ErrorResponse,
}
_LINE_END = re.compile(r"\r\n|\n|\r(?!$)")
"""Not a return at the very end: its line feed may be still to come."""


class EventReader:
    """Reads the events of one stream."""

    def __init__(self, request_id: str | None) -> None:
        self._request_id = request_id
        self._rest = ""
        self._name, self._data = "", []
        self.is_done = False

    def read(self, text: str) -> Iterator[Event]:
        """Yield the events that end in the next piece of text.

        Raises:
            EmotionLLaMAError: the event `error`, or what is no event of ours.
        """
        *lines, self._rest = _LINE_END.split(self._rest + text)
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                yield from self._event()

    def finish(self) -> None:
        """The stream is over.

        Raises:
            InvalidAnswer: it broke off.
        """
        if not self.is_done:
            raise InvalidAnswer("The stream broke off.", request_id=self._request_id)

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "event":
            self._name = value.removeprefix(" ")
        elif name == "data":
            self._data.append(value.removeprefix(" "))

    def _event(self) -> Iterator[Event]:
        name, data = self._name, "\n".join(self._data)
        self._name, self._data = "", []
        if (kind := _KINDS.get(name)) is None:
            return  # of a later version
        try:
            event = kind.model_validate_json(data)
        except ValidationError as error:
            raise InvalidAnswer(f"The event {name!r} cannot be read: {error}") from error
        if isinstance(event, ErrorResponse):
            told = event.error
            raise EmotionLLaMAError(
                told.message, request_id=self._request_id, param=told.param, code=told.code
            )
        self.is_done = self.is_done or isinstance(event, EmotionResponse)
        yield event  # type: ignore[misc]
