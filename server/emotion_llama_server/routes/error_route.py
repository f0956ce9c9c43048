"""Defines the class of all routes that take a body.

It reads JSON strictly, and answers every error in the route's own shape, including the errors that
vLLM's routes answer themselves.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Scope
from vllm.exceptions import GenerationError, GracefulHTTPError
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama.error_codes import MODEL_NOT_FOUND
from emotion_llama.schema import EVENT_STREAM, ErrorResponse
from emotion_llama_server.errors import Failure, describe, failure_response, openai_error, path_of
from emotion_llama_server.routes.unknown import no_such_route
from emotion_llama_server.shortening import shortened
from emotion_llama_server.strict_json import JsonRequest, check_json, media_type

_ERROR_EVENT = 'data: {"error":'
"""The beginning of the event with which vLLM reports that a stream has failed."""


class ErrorRoute(APIRoute):
    """Represents a route that reads JSON strictly, and answers every error in its own shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            asked = JsonRequest(request.scope, request.receive)
            try:
                if self._takes_json(asked):
                    check_json(asked)
                return _in_our_words(asked.scope, await handle(asked))
            except Exception as error:
                return failure_response(asked.scope, describe(_blamed(asked, error)))

        return answer

    def _takes_json(self, request: Request) -> bool:
        """Return whether the body must be JSON; some routes also take one without a type."""
        is_strict = bool(self.strict_content_type)
        return self.body_field is not None and (is_strict or media_type(request) != "")


def install(app: FastAPI) -> None:
    """Answer Starlette's own errors in our shapes too, because vLLM does not."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
            error = no_such_route(request.method, path_of(request.scope))
        return failure_response(request.scope, describe(error))

    for kind in (HTTPException, GenerationError, GracefulHTTPError, EngineDeadError):
        app.add_exception_handler(kind, answer)


def _blamed(request: JsonRequest, error: Exception) -> Exception:
    """Turn a grammar that cannot be used into a client error; vLLM reports a server error."""
    if isinstance(error, GenerationError) and request.has_grammar:
        return HTTPException(400, "The requested form of the answer cannot be used.")
    return error


def _in_our_words(scope: Scope, response: Response) -> Response:
    """Return an error response of vLLM with the types and codes of our errors."""
    if isinstance(response, StreamingResponse) and response.media_type == EVENT_STREAM:
        events = cast(AsyncGenerator[str, None], response.body_iterator)
        response.body_iterator = _events_in_our_words(events)
    elif isinstance(response, JSONResponse) and response.status_code >= HTTPStatus.BAD_REQUEST:
        with suppress(ValueError):  # some routes that an operator may enable have other shapes
            return failure_response(scope, _failure(bytes(response.body)))
    return response


async def _events_in_our_words(events: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        async for event in events:
            if event.startswith(_ERROR_EVENT):
                told = openai_error(_failure(event.removeprefix("data: ").encode()))
                event = f"data: {told.model_dump_json()}\n\n"
            yield event


def _failure(body: bytes) -> Failure:
    """Read an error of vLLM, whose code is the status.

    Raises:
        ValueError: the body has another shape.
    """
    told = ErrorResponse.model_validate_json(body).error
    status = HTTPStatus(int(told.code or HTTPStatus.INTERNAL_SERVER_ERROR))
    is_model = status == HTTPStatus.NOT_FOUND and told.param == "model"
    code = MODEL_NOT_FOUND if is_model else None
    return Failure(int(status), status.phrase, shortened(told.message), told.param, code)
