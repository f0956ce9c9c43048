"""Reads the version and the model of a server."""

from typing import TypeVar

import httpx2
from pydantic import BaseModel, Field, ValidationError

from emotion_llama.bench.figures import ServerFacts
from emotion_llama.wire import no_answer

Kind = TypeVar("Kind", bound=BaseModel)


class _Version(BaseModel):
    version: str


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model] = Field(min_length=1)


async def read_facts(http: httpx2.AsyncClient) -> ServerFacts:
    """Return the server's version and model, if it reports them; the original does not.

    Raises:
        EmotionLLaMAError: the server does not answer.
    """
    version = await _read(http, "/version", _Version)
    models = await _read(http, "/v1/models", _Models)
    return ServerFacts(
        url=_address(http),
        version=version.version if version else None,
        model=models.data[0].id if models else None,
    )


def _address(http: httpx2.AsyncClient) -> str:
    """Return a client's base address without its password, which must not be in reports."""
    return str(http.base_url.copy_with(userinfo=b""))


async def _read(http: httpx2.AsyncClient, path: str, kind: type[Kind]) -> Kind | None:
    try:
        response = await http.get(path)
    except httpx2.RequestError as error:
        raise no_answer(error, _address(http)) from error
    try:
        return kind.model_validate_json(response.content) if response.is_success else None
    except ValidationError:
        return None
