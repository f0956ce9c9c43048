"""How a failure is told: one table from exceptions to status and words, for every route.

The routes that are vLLM's, and all under `/v1`, tell it as OpenAI's error object; the legacy
routes in the shape that is documented for them.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from vllm.entrypoints.serve.exception_handling.error_response import create_error_response
from vllm.logger import init_logger

from emotion_llama.schema import ErrorDetail, ErrorResponse
from emotion_llama_vllm.media.errors import MediaError

logger = init_logger("vllm.emotion_llama_server")

_TITLES = {
    400: "Invalid request",
    404: "Video file not found",
    405: "Method not allowed",
    413: "Video file too large",
    503: "Service unavailable",
    504: "Processing timed out",
}
_INTERNAL = "The server failed to answer this request; its log says why."


@dataclass(frozen=True)
class Failure:
    """What a client is told: no path, address or traceback of ours is in it."""

    status: int
    title: str
    details: str
    param: str | None = None
    """The field of the request that is to blame."""
    code: str | None = None
    """What a program can tell it by, where the status does not say enough."""
    headers: dict[str, str] | None = None


def describe(error: Exception) -> Failure:
    """Look an exception up.

    What was foreseen says what to do; anything else is logged whole and told as one plain
    sentence. vLLM's own exceptions have the status that its own routes give them.
    """
    param, code, headers = None, None, None
    if isinstance(error, RequestValidationError | ValidationError):
        status, (param, details) = 400, _first_error(error)
    elif isinstance(error, HTTPException):
        status, details = error.status_code, str(error.detail)
        headers = dict(error.headers or {})
    elif isinstance(error, MediaError):
        status, details, param, code = error.status, str(error), error.field, error.code
    elif isinstance(error, ClientDisconnect):
        status, details = 400, "The client closed the connection."
    else:
        answer = create_error_response(error).error
        status, details, param = int(answer.code), answer.message, answer.param
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("A request failed.", exc_info=error)
            details = _INTERNAL
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    return Failure(int(status), title, details, param, code, headers)


def openai_error(failure: Failure) -> ErrorResponse:
    """The shape of everything under `/v1`."""
    return ErrorResponse(
        error=ErrorDetail(
            message=failure.details,
            type=HTTPStatus(failure.status).phrase,
            param=failure.param,
            code=failure.code or failure.status,
        )
    )


class ErrorRoute(APIRoute):
    """A route whose failures all have one shape: OpenAI's, where a subclass names no other."""

    @staticmethod
    def tell(failure: Failure) -> BaseModel:
        return openai_error(failure)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                failure = describe(error)
            return as_json(self.tell(failure), failure)

        return answer


def install(app: FastAPI) -> None:
    """Tell also what Starlette refuses by itself as OpenAI's error object; vLLM leaves it out."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        failure = describe(error)
        return as_json(openai_error(failure), failure)

    app.add_exception_handler(HTTPException, answer)


def as_json(body: BaseModel, failure: Failure) -> JSONResponse:
    """The response that tells a failure in one of the shapes."""
    return JSONResponse(body.model_dump(), failure.status, failure.headers)


def _first_error(error: RequestValidationError | ValidationError) -> tuple[str | None, str]:
    """The first field that is wrong, and what about it; without the body's own values."""
    errors = list(error.errors())
    if errors[0]["type"] == "json_invalid":
        return None, "The body is not valid JSON."
    param = _param(errors[0]["loc"])
    # One for each of the types that the field may have.
    wrong = dict.fromkeys(e["msg"] for e in errors if _param(e["loc"]) == param)
    details = "; or: ".join(wrong)
    return param, f"{param}: {details}" if param else details


def _param(location: tuple[int | str, ...]) -> str | None:
    """Where in the body, without the list indices and the names of types on the way."""
    places = [str(place) for place in location if place not in ("body", "float")]
    return ".".join(place for place in places if place.isidentifier()) or None
