"""Answers `GET /v1/models`: the served models in OpenAI's shape, with descriptions and labels.

It replaces vLLM's own route, which also reveals the checkpoint's path on the server's disk.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from emotion_llama.schema import Model, ModelList
from emotion_llama_server import paths
from emotion_llama_server.errors import ModelNotFound
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of
from emotion_llama_server.shortening import printable

router = APIRouter(route_class=ErrorRoute, tags=["models"])


@router.get(paths.MODELS)
async def list_models(raw_request: Request) -> ModelList:
    """List the served models."""
    return ModelList(data=await _served(raw_request))


@router.get(paths.MODEL)
async def retrieve_model(
    model: Annotated[str, Path(description="A name from the list.")], raw_request: Request
) -> Model:
    """Describe one served model."""
    served = {known.id: known for known in await _served(raw_request)}
    if model not in served:
        raise ModelNotFound(
            f"The model `{printable(model)}` does not exist. Valid aliases: {', '.join(served)}."
        )
    return served[model]


async def _served(raw_request: Request) -> list[Model]:
    services = services_of(raw_request.app)
    served, card = await services.models.show_available_models(), services.card
    facts = {"description": card.description, "labels": card.labels}
    return [Model.model_validate({**model.model_dump(), **facts}) for model in served.data]
