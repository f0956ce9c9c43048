"""Serves the page with answers whose parts a test lets go one by one."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from emotion_llama.schema import EVENT_STREAM, Model, ModelList
from emotion_llama_server.emotion.formats import server_sent
from emotion_llama_server.routes import page as page_route
from tests.support.apps.light_server import light_server
from tests.support.page.answers import LABELS, NOTICE

_END = ""


class PacedAnswers:
    """Answers requests of the page.

    Attributes:
        received: the bytes of each body that came as a whole.
        gone: whether a client left before its body had come.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was received and what was let go."""
        self.received: list[int] = []
        self.gone = False
        self._parts: queue.Queue[str] = queue.Queue()

    def send(self, *events: BaseModel) -> None:
        """Let the next parts of the answer go."""
        for event in events:
            self._parts.put(server_sent(event))

    def end(self) -> None:
        """End the answer."""
        self._parts.put(_END)

    def app(self) -> FastAPI:
        """Return an app with the page and the two routes that it needs."""
        app = FastAPI()
        app.get("/v1/models")(_models)
        app.post("/v1/emotion")(self._emotion)
        page_route.install(app, page_route.folder())
        return app

    async def _emotion(self, request: Request) -> Response:
        try:
            self.received.append(len(await request.body()))
        except ClientDisconnect:
            self.gone = True
            return Response()
        return StreamingResponse(self._events(), media_type=EVENT_STREAM)

    async def _events(self) -> AsyncIterator[str]:
        parts = self._parts  # a later test has its own
        while part := await asyncio.to_thread(parts.get):
            yield part


async def _models() -> ModelList:
    model = Model(
        id="demo",
        created=0,
        owned_by="test",
        max_model_len=2048,
        description=NOTICE,
        labels=list(LABELS),
        demonstration=True,
    )
    return ModelList(data=[model])


@contextmanager
def paced_answers() -> Iterator[tuple[PacedAnswers, str]]:
    """Serve until the block ends; yield the answers and the server's address."""
    answers = PacedAnswers()
    with light_server(answers.app()) as port:
        yield answers, f"http://127.0.0.1:{port}"
        answers.end()
