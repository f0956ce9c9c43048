"""What a client raises: one class for each status, with the id of the request."""

import httpx2
from typing_extensions import Self

from emotion_llama.error_codes import status_of_code
from emotion_llama.schema import ErrorDetail, ErrorResponse


class EmotionLLaMAError(Exception):
    """Why there is no answer.

    Attributes:
        status: the HTTP status, None where there was no answer at all.
        request_id: the server's id of the request, for its operator.
        param: the field of the request that is to blame.
        code: what a program can tell the error by: one of `error_codes.ERROR_CODES`.
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
    """The server cannot be reached, or hung up."""


class RequestTimeout(EmotionLLaMAError):
    """The server did not answer in time."""


class InvalidAnswer(EmotionLLaMAError):
    """What came is no answer of an Emotion-LLaMA server."""


class InvalidSettings(EmotionLLaMAError, ValueError):
    """The client cannot be made: the server's address, the proxy or the key cannot be used."""


class BadRequestError(EmotionLLaMAError):
    """400: the clip or a field is no good; `param` names the field."""


class AuthenticationError(EmotionLLaMAError):
    """401: no key, or an unknown one."""


class PermissionDeniedError(EmotionLLaMAError):
    """403."""


class NotFoundError(EmotionLLaMAError):
    """404: no such file in the server's media roots, or no such route or model; see `code`."""


class PayloadTooLargeError(EmotionLLaMAError):
    """413: the clip is larger than the server takes."""


class UnsupportedMediaTypeError(EmotionLLaMAError):
    """415."""


class RateLimitError(EmotionLLaMAError):
    """429, after all retries."""


class ServerError(EmotionLLaMAError):
    """The server failed."""


class OverloadedError(ServerError):
    """503, after all retries: it takes no request now."""


class GatewayTimeoutError(ServerError):
    """504: it took too long."""


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
    """The exception for an answer that is a failure; its body has been read."""
    status = response.status_code
    request_id = response.headers.get("X-Request-Id")
    try:
        told = ErrorResponse.model_validate_json(response.content).error
    except ValueError:  # a proxy's page, say
        message = f"The server answered with status {status}: {response.text[:200]!r}"
        return _kind(status)(message, status=status, request_id=request_id)
    return _from_detail(told, status, request_id)


def from_event(told: ErrorDetail, request_id: str | None) -> EmotionLLaMAError:
    """The exception for a failure in the middle of a stream, which has its code's status."""
    return _from_detail(told, status_of_code(told.code), request_id)


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
