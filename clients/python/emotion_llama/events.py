"""Reads the events of a stream (`text/event-stream`) from pieces of any size."""

from collections.abc import Iterator

import httpx2
from pydantic import ValidationError

from emotion_llama.errors import InvalidAnswer, from_event
from emotion_llama.schema import (
    EVENT_STREAM,
    EVENTS,
    EmotionEvent,
    EmotionResponse,
    ErrorResponse,
    ExplanationDelta,
    TimelineWindow,
)

Event = EmotionEvent | ExplanationDelta | TimelineWindow | EmotionResponse


class EventReader:
    """Reads the events of one stream.

    Raises:
        InvalidAnswer: the answer is not a stream.
    """

    def __init__(self, response: httpx2.Response) -> None:
        self._request_id = response.headers.get("X-Request-Id")
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith(EVENT_STREAM):
            raise InvalidAnswer(
                f"A stream was requested, but the answer is {kind or 'of no type'}.",
                status=response.status_code,
                request_id=self._request_id,
            )
        self._rest = ""
        self._is_start, self._is_after_return = True, False
        self._name, self._data = "", []
        self.is_done = False

    def read(self, text: str) -> Iterator[Event]:
        """Yield the events that end in the next piece of text.

        Raises:
            EmotionLLaMAError: the event is `error`, or unreadable.
        """
        *lines, self._rest = (self._rest + self._with_line_feeds(text)).split("\n")
        for line in lines:
            if line:
                self._take(line)
            else:
                yield from self._event()

    def finish(self) -> None:
        """Check that the stream is complete.

        Raises:
            InvalidAnswer: the stream ended before its last event.
        """
        if not self.is_done:
            raise InvalidAnswer("The stream broke off.", request_id=self._request_id)

    def _with_line_feeds(self, text: str) -> str:
        """End every line with one line feed, even if a piece ends between CR and LF."""
        if not text:
            return text
        if self._is_start:
            text = text.removeprefix("\ufeff")
        if self._is_after_return:
            text = text.removeprefix("\n")
        self._is_after_return = text.endswith("\r")
        self._is_start = False
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "event":
            self._name = value.removeprefix(" ")
        elif name == "data":
            self._data.append(value.removeprefix(" "))

    def _event(self) -> Iterator[Event]:
        name, data = self._name, "\n".join(self._data)
        self._name, self._data = "", []
        if not data or (kind := EVENTS.get(name)) is None:
            return  # no event, or one of a later version
        try:
            event = kind.model_validate_json(data)
        except ValidationError as error:
            raise InvalidAnswer(
                f"The event {name!r} cannot be read: {error}", request_id=self._request_id
            ) from error
        if isinstance(event, ErrorResponse):
            raise from_event(event.error, self._request_id)
        self.is_done = self.is_done or isinstance(event, EmotionResponse)
        yield event  # type: ignore[misc]
