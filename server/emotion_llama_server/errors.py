"""Maps every exception to the status, code and sentence of its error response.

The legacy routes send errors in the shape that is documented for them; all other routes send
OpenAI's error object, with the types and codes of `emotion_llama.error_codes`.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope
from vllm.entrypoints.serve.exception_handling.error_response import create_error_response
from vllm.exceptions import (
    GracefulHTTPError,
    VLLMNotFoundError,
    VLLMUnprocessableEntityError,
    VLLMValidationError,
)
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama.error_codes import (
    CONTEXT_LENGTH_EXCEEDED,
    MODEL_NOT_FOUND,
    VIDEO_NOT_FOUND,
    code_of_status,
    error_type,
)
from emotion_llama.field_errors import first_error
from emotion_llama.schema import ErrorDetail, ErrorResponse
from emotion_llama_server import paths
from emotion_llama_server.logger import logger
from emotion_llama_server.shortening import shortened
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.errors import MediaError, shortage

_TITLES = {
    400: "Invalid request",
    404: "Video file not found",
    405: "Method not allowed",
    413: "Video file too large",
    502: "Transcription failed",
    503: "Service unavailable",
    504: "Processing timed out",
    507: "Insufficient storage",
}
_PROMPT_LENGTH = ("input_tokens", "input_text")
"""Parameters that vLLM blames for a prompt that is too long."""
_INTERNAL = "The server failed to answer this request; its log says why."


class ModelNotFound(HTTPException):
    """Reports that no model has the requested name."""

    param, code = "model", MODEL_NOT_FOUND

    def __init__(self, words: str) -> None:
        super().__init__(404, words)


@dataclass(frozen=True)
class Failure:
    """Describes an error to the client, without any path, address or traceback of the server."""

    status: int
    title: str
    details: str
    param: str | None = None
    """The field of the request that caused the error."""
    code: str | None = None
    """One of `ERROR_CODES`; None stands for the first code of this status."""
    headers: dict[str, str] | None = None


def describe(error: Exception) -> Failure:
    """Return the error response of an exception.

    An expected error names its cure; any other error is logged completely and reported in one plain
    sentence. vLLM's own exceptions keep the status that vLLM's routes give them.
    """
    param, code, headers = None, None, None
    if isinstance(error, OSError | MemoryError | RuntimeError):
        error = shortage(error) or error
    if isinstance(error, RequestValidationError | ValidationError):
        status, (param, details) = 400, first_error(error.errors())
    elif isinstance(error, HTTPException):
        status, details = error.status_code, str(error.detail)
        param, code = getattr(error, "param", None), getattr(error, "code", None)
        headers = dict(error.headers or {})
    elif isinstance(error, FieldError):
        status, details, param = 400, str(error), error.field
    elif isinstance(error, MediaError):
        status, details, param, code = error.status, str(error), error.field, error.code
        headers = _retry_after(status)
    elif isinstance(error, GracefulHTTPError):
        status, details, code = error.http_status, error.message, getattr(error, "code", None)
        headers = _retry_after(status)
    elif isinstance(error, EngineDeadError):
        status, details = 503, "The model's engine has died; the server is ending."
    elif isinstance(error, ClientDisconnect):
        status, details = 400, "The client closed the connection."
    else:
        status, details, param, code = _as_vllm_tells_it(error)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        status = HTTPStatus.BAD_REQUEST
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    param = param and shortened(param)
    return Failure(int(status), title, shortened(details), param, code, headers)


def _as_vllm_tells_it(error: Exception) -> tuple[int, str, str | None, str | None]:
    """Return status, sentence, parameter and code as vLLM's error table gives them."""
    answer = create_error_response(_shorten(error)).error
    status, param, code = int(answer.code), answer.param, None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("A request failed.", exc_info=error)
        return status, _INTERNAL, None, None
    if isinstance(error, VLLMNotFoundError):
        param, code = "model", MODEL_NOT_FOUND
    elif param in _PROMPT_LENGTH:
        code = CONTEXT_LENGTH_EXCEEDED
    # vLLM appends the parameter, which our error has in a field of its own.
    return status, answer.message.removesuffix(f" (parameter={answer.param})"), param, code


def _retry_after(status: int) -> dict[str, str] | None:
    """Return a `Retry-After` header if the client may succeed later."""
    return {"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None


class LegacyError(BaseModel):
    """Represents an error of the original's routes."""

    error: str
    code: int
    """The HTTP status."""
    details: str


def path_of(scope: Scope) -> str:
    """Return the path of a request in the form that routes use."""
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


def failure_response(scope: Scope, failure: Failure) -> JSONResponse:
    """Return the error response in the shape of the requested route."""
    path = path_of(scope)
    if path == paths.CHAT and failure.code == VIDEO_NOT_FOUND:
        # OpenAI's clients, LangChain for example, read every 404 of a chat as a missing model.
        failure = replace(failure, status=int(HTTPStatus.BAD_REQUEST))
    status, details = failure.status, failure.details
    if path in paths.LEGACY:
        body = LegacyError(error=failure.title, code=status, details=details)
    elif path in paths.GRADIO_RUNS:
        body = LegacyError(error=details, code=status, details=details)
    else:
        body = openai_error(failure)
    return JSONResponse(body.model_dump(), failure.status, failure.headers)


def openai_error(failure: Failure) -> ErrorResponse:
    """Return OpenAI's error object, which all routes but the legacy ones send."""
    return ErrorResponse(
        error=ErrorDetail(
            message=failure.details,
            type=error_type(failure.status),
            param=failure.param,
            code=failure.code or code_of_status(failure.status),
        )
    )


def _shorten(error: Exception) -> Exception:
    """Shorten the parts of an exception that repeat the request.

    vLLM searches its messages for paths with patterns that take minutes for some texts of a few
    thousand characters.
    """
    error.args = tuple(shortened(arg) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, VLLMValidationError | VLLMUnprocessableEntityError):
        error.value = None
        if error.parameter is not None:
            error.parameter = shortened(error.parameter)
    return error
