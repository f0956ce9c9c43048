"""Answers `GET /v1/models`: the served models in OpenAI's shape, and what each may be asked.

It replaces vLLM's own route, which also reveals the checkpoint's path on the server's disk.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from emotion_llama.schema import Limits, Model, ModelList, Sources
from emotion_llama_server import paths
from emotion_llama_server.errors import ModelNotFound
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import Services, services_of
from emotion_llama_server.shortening import printable
from emotion_llama_vllm.media.decode.timeline import MAX_WINDOWS

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
    card, reader = services.card, services.analyst.reader
    facts = {
        "description": card.description,
        "labels": card.labels,
        "languages": list(card.questions),
        "demonstration": card.demonstration,
        "limits": _limits(services),
        "sources": Sources(
            paths=bool(reader.roots),
            urls=bool(reader.domains),
            files=services.storage is not None,
        ),
        "transcribes": services.analyst.transcriber is not None,
    }
    served = await services.models.show_available_models()
    return [Model.model_validate(model.model_dump() | facts) for model in served.data]


def _limits(services: Services) -> Limits:
    media = services.analyst.reader.settings
    return Limits(
        clip_bytes=media.max_media_bytes,
        audio_seconds=media.max_audio_seconds,
        timeline_seconds=media.max_timeline_seconds,
        timeline_windows=MAX_WINDOWS,
        request_seconds=services.settings.request_timeout,
    )
