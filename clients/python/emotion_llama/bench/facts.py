"""What a server says about itself."""

from typing import TypeVar

import httpx2
from pydantic import BaseModel, Field, ValidationError

from emotion_llama.bench.figures import ServerFacts
from emotion_llama.errors import ConnectionFailed

Kind = TypeVar("Kind", bound=BaseModel)


class _Version(BaseModel):
    version: str


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model] = Field(min_length=1)


async def read_facts(http: httpx2.AsyncClient) -> ServerFacts:
    """Its version and its model, where it tells them: a server may also be the original's.

    Raises:
        ConnectionFailed: it does not answer at all.
    """
    version = await _read(http, "/version", _Version)
    models = await _read(http, "/v1/models", _Models)
    return ServerFacts(
        url=str(http.base_url.copy_with(userinfo=b"")),  # a password is not for the report
        version=version and version.version,
        model=models and models.data[0].id,
    )


async def _read(http: httpx2.AsyncClient, path: str, kind: type[Kind]) -> Kind | None:
    try:
        response = await http.get(path)
    except httpx2.RequestError as error:
        raise ConnectionFailed(
            f"The server cannot be reached: {error or type(error).__name__}."
        ) from error
    try:
        return kind.model_validate_json(response.content) if response.is_success else None
    except ValidationError:
        return None
