"""Has one line of a batch answered by this server's own app, in a limited number of tries."""

import asyncio
import codecs
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json
from starlette.types import ASGIApp

from emotion_llama.batch import BatchResult, LineResponse
from emotion_llama_server.batches.line_call import LineCall
from emotion_llama_server.batches.pace import End, MadeWay, Pace
from emotion_llama_server.batches.results import not_asked
from emotion_llama_server.batches.store import BatchStore, Job, OpenLine
from emotion_llama_server.gate import Doorkeeper
from emotion_llama_vllm.media.read.threads import files

_TRIES = 3
"""The number of tries after which a line that ends the server, or fails in it, is given up."""
_PAUSES = (0, 2, 10)
"""Seconds before each try; a lack of memory may be over then."""
_MOST_WAYS = 3
"""The number of times that a line makes way for requests, so that each is answered some time."""
_FAILED = 500
"""The lowest status for which the server is to blame, and which may be another one next time."""


@dataclass(frozen=True)
class LineAnswerer:
    """Asks about lines.

    Args:
        app: the whole app, with its gate.
        store: the batches, in which each try is noted before it begins.
        doorkeeper: tells whether the server is ending.
        pace: tells when a line may be asked.
    """

    app: ASGIApp
    store: BatchStore
    doorkeeper: Doorkeeper
    pace: Pace

    async def answer(self, job: Job, line: OpenLine, end: End) -> BatchResult | None:
        """Return the result of a line; None if the batch ends before there is one.

        Args:
            job: the line's batch.
            line: the line.
            end: is done when no line shall be asked again.
        """
        number, made_way = line.tries, 0
        while number < _TRIES:
            if number > line.tries and not await _pause(_PAUSES[number], end):
                return None
            call = LineCall(self.app, job.endpoint, await self._body(job, line), job.owner)
            async with self.pace.turn(end) as turn:
                if turn == "never":
                    return None
                await self.store.note_try(job, line, 1)
                yields = turn == "among many" and made_way < _MOST_WAYS
                try:
                    answer = await self.pace.ask(call.make(), yields=yields)
                except MadeWay:
                    await self.store.note_try(job, line, -1)
                    made_way += 1
                    continue
            if call.status >= _FAILED and self.doorkeeper.closed is not None:
                await self.store.note_try(job, line, -1)
                return None
            if call.status < _FAILED or number == _TRIES - 1:
                return _result(line, call, answer)
            number += 1
        return not_asked(line.custom_id, "failed")

    async def _body(self, job: Job, line: OpenLine) -> bytes:
        file = self.store.files.objects.open(job.input_digest)
        return await files.run(lambda: _read_body(file, line), discard=None)


async def _pause(seconds: float, end: End) -> bool:
    """Wait; return False if the batch ends meanwhile."""
    await asyncio.wait({end}, timeout=seconds)
    return not end.done()


def _read_body(file: BinaryIO, line: OpenLine) -> bytes:
    with file:
        data = os.pread(file.fileno(), line.size, line.start)
    return to_json(from_json(data.removeprefix(codecs.BOM_UTF8))["body"])


def _result(line: OpenLine, call: LineCall, answer: Any) -> BatchResult:
    response = LineResponse(status_code=call.status, request_id=call.request_id, body=answer)
    return BatchResult(id=call.request_id, custom_id=line.custom_id, response=response, error=None)
