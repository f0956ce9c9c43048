"""Defines the exceptions that a client raises, one class for each status."""

import httpx2
from typing_extensions import Self

from emotion_llama.batch import BatchResult
from emotion_llama.error_codes import status_of_code
from emotion_llama.schema import ErrorDetail, ErrorResponse


class EmotionLLaMAError(Exception):
    """Reports why there is no answer.

    Attributes:
        status: the HTTP status; None if there was no response at all.
        request_id: the server's id of the request, for its operator.
        param: the field of the request that caused the error.
        code: the error's code for programs, one of `error_codes.ERROR_CODES`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        param: str | None = None,
        code: int | str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.request_id, self.param, self.code = status, request_id, param, code

    def reworded(self, message: str) -> Self:
        """Return the same error with another message."""
        return type(self)(
            message,
            status=self.status,
            request_id=self.request_id,
            param=self.param,
            code=self.code,
        )


class ConnectionFailed(EmotionLLaMAError):
    """Reports that the server cannot be reached or closed the connection."""


class RequestTimeout(EmotionLLaMAError):
    """Reports that the server did not answer in time."""


class InvalidAnswer(EmotionLLaMAError):
    """Reports that the response is not an answer of an Emotion-LLaMA server."""


class InvalidSettings(EmotionLLaMAError, ValueError):
    """Reports that the server's address, the proxy or the key cannot be used."""


class BadRequestError(EmotionLLaMAError):
    """Reports status 400: the clip or a field cannot be used; `param` names the field."""


class AuthenticationError(EmotionLLaMAError):
    """Reports status 401: the API key or access token is missing, unknown or not valid."""


class PermissionDeniedError(EmotionLLaMAError):
    """Reports status 403: the API key or access token does not permit this request."""


class NotFoundError(EmotionLLaMAError):
    """Reports status 404: the file, the route or the model does not exist; see `code`."""


class PayloadTooLargeError(EmotionLLaMAError):
    """Reports status 413: the clip is larger than the server accepts."""


class UnsupportedMediaTypeError(EmotionLLaMAError):
    """Reports status 415: the server does not accept the body's type or encoding."""


class RateLimitError(EmotionLLaMAError):
    """Reports status 429 after all retries: the request is over the rate limit."""


class ServerError(EmotionLLaMAError):
    """Reports that the server failed."""


class OverloadedError(ServerError):
    """Reports status 503 after all retries: the server accepts no requests now."""


class GatewayTimeoutError(ServerError):
    """Reports status 504: the request took too long."""


_CLASSES: dict[int, type[EmotionLLaMAError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    429: RateLimitError,
    503: OverloadedError,
    504: GatewayTimeoutError,
}


def from_response(response: httpx2.Response) -> EmotionLLaMAError:
    """Return the exception for an error response whose body has been read."""
    status = response.status_code
    request_id = response.headers.get("X-Request-Id")
    try:
        told = ErrorResponse.model_validate_json(response.content).error
    except ValueError:  # for example a proxy's page
        message = f"The server answered with status {status}: {response.text[:200]!r}"
        return _kind(status)(message, status=status, request_id=request_id)
    return _from_detail(told, status, request_id)


def from_event(told: ErrorDetail, request_id: str | None) -> EmotionLLaMAError:
    """Return the exception for an error in the middle of a stream, with its code's status."""
    return _from_detail(told, status_of_code(told.code), request_id)


def from_result(result: BatchResult) -> EmotionLLaMAError:
    """Return the exception for a line of a batch that was answered with an error, or not at all."""
    if result.response is None:
        told = result.error
        if told is None:
            return InvalidAnswer(
                "A line of the batch's results has neither a response nor an error."
            )
        return EmotionLLaMAError(told.message, code=told.code)
    status, request_id = result.response.status_code, result.response.request_id
    try:
        detail = ErrorResponse.model_validate(result.response.body).error
    except ValueError:
        message = f"The line was answered with status {status}."
        return _kind(status)(message, status=status, request_id=request_id)
    return _from_detail(detail, status, request_id)


def _from_detail(
    told: ErrorDetail, status: int | None, request_id: str | None
) -> EmotionLLaMAError:
    return _kind(status)(
        told.message, status=status, request_id=request_id, param=told.param, code=told.code
    )


def _kind(status: int | None) -> type[EmotionLLaMAError]:
    if status is None:
        return EmotionLLaMAError
    return _CLASSES.get(status, ServerError if status >= 500 else EmotionLLaMAError)
