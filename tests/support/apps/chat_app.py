"""Runs vLLM's own chat route behind our guard, with a recorder in the engine's place."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from httpx2 import Response
from vllm.entrypoints.openai.chat_completion.api_router import attach_router
from vllm.entrypoints.openai.chat_completion.protocol import (
    ChatCompletionRequest,
    ChatCompletionResponse,
)
from vllm.entrypoints.serve.engine.protocol import UsageInfo
from vllm.entrypoints.serve.exception_handling.register import init_exception_handler
from vllm.entrypoints.serve.utils.api_utils import validate_json_request

from emotion_llama_server.chat import validation
from emotion_llama_server.routes import exposure
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.checkpoint.card import Card
from tests.support.apps.services import services

CLIP = {"type": "video_url", "video_url": {"url": "clip.mp4"}}
TEXT = {"type": "text", "text": "Which emotion?"}


class ChatApp:
    """Holds the app, and the last request of its route.

    Attributes:
        probable: the words to which the model gives the highest probability.
        scored: the words that were scored, None if there were none.
    """

    def __init__(self, *, allow_text_only: bool = False) -> None:
        self.probable = "sad"
        self.scored: list[str] | None = None
        self._got: list[ChatCompletionRequest] = []
        self.app = FastAPI()
        attach_router(self.app)
        init_exception_handler(self.app)
        validation.install(self.app)
        self.app.dependency_overrides[validate_json_request] = validation.check_json_request
        exposure.read_strictly(self.app)
        self.app.state.args = Namespace(log_error_stack=False)
        self.app.state.openai_serving_chat = self
        settings = ServerSettings(allow_text_only=allow_text_only)
        install(self.app, services(settings, engine=self, card=Card()))
        self._client = TestClient(self.app)

    def post(self, *content: Any, **fields: Any) -> Response:
        """Send a chat request with these parts, by default a clip and a question."""
        message = {"role": "user", "content": list(content) or [CLIP, TEXT]}
        return self.post_body({"model": "m", "messages": [message], **fields})

    def post_body(self, body: Any) -> Response:
        """Send any JSON as a chat request."""
        return self._client.post("/v1/chat/completions", json=body)

    def got(self, *content: Any, **fields: Any) -> ChatCompletionRequest:
        """Return the request that reaches the route."""
        response = self.post(*content, **fields)
        assert response.status_code == 200, response.text
        return self._got.pop()

    def refusal(self, *content: Any, **fields: Any) -> dict[str, Any]:
        """Return the error of a request that does not reach the route."""
        response = self.post(*content, **fields)
        assert response.status_code == 400, response.text
        assert not self._got
        return response.json()["error"]

    async def create_chat_completion(
        self, request: ChatCompletionRequest, raw_request: Request
    ) -> ChatCompletionResponse:
        self._got.append(request)
        return ChatCompletionResponse(model="m", choices=[], usage=UsageInfo())

    async def render(self, messages: Any, *, style: str) -> dict[str, Any]:
        self.rendered = (messages, style)
        return {}

    def label_tree(self, labels: Mapping[str, str]) -> LabelTree:
        return LabelTree({label: [10 + n, 2] for n, label in enumerate(labels)})

    async def read_labels(
        self, prompt: Any, tree: LabelTree
    ) -> tuple[dict[str, float], Sequence[Any]]:
        logprobs = {prefix: [0.0] * len(wanted) for prefix, wanted in tree.reads.items()}
        self.scored = scored = list(tree.probabilities(logprobs))
        return {words: float(words == self.probable) for words in scored}, []
