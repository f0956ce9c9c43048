"""How a failure is told: one table from exceptions to status and words, for every route.

The routes that are vLLM's, and all under `/v1`, tell it as OpenAI's error object; the legacy
routes in the shape that is documented for them.
"""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from vllm.entrypoints.serve.exception_handling.error_response import create_error_response
from vllm.logger import init_logger

logger = init_logger("vllm.emotion_llama_server")

_TITLES = {
    400: "Invalid request",
    404: "Video file not found",
    405: "Method not allowed",
    413: "Video file too large",
    503: "Service unavailable",
}
_INTERNAL = "The server failed to answer this request; its log says why."


@dataclass(frozen=True)
class Failure:
    """What a client is told: no path, address or traceback of ours is in it."""

    status: int
    title: str
    details: str


def describe(error: Exception) -> Failure:
    """Look an exception up.

    What the request is to blame for says what to do; anything else is logged whole and told as
    one plain sentence. vLLM's own exceptions have the status that its own routes give them.
    """
    if isinstance(error, RequestValidationError):
        status, details = 400, _first_error(error)
    elif isinstance(error, HTTPException):
        status, details = error.status_code, str(error.detail)
    else:
        answer = create_error_response(error).error
        status, details = int(answer.code), answer.message
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("A request failed.", exc_info=error)
        details = _INTERNAL
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    return Failure(status=int(status), title=title, details=details)


def install(app: FastAPI) -> None:
    """Tell also what Starlette refuses by itself as OpenAI's error object; vLLM leaves it out."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        failure = describe(error)
        body = {
            "message": failure.details,
            "type": HTTPStatus(failure.status).phrase,
            "param": None,
            "code": failure.status,
        }
        headers = error.headers if isinstance(error, HTTPException) else None
        return JSONResponse({"error": body}, failure.status, headers)

    app.add_exception_handler(HTTPException, answer)


def _first_error(error: RequestValidationError) -> str:
    """The first thing that is wrong with a body, and where; without the body's own values."""
    first = error.errors()[0]
    if not isinstance(first, dict):
        return str(first)
    if first["type"] == "json_invalid":
        return "The body is not valid JSON."
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    return f"{where}: {first['msg']}" if where else first["msg"]
