"""Answers OpenAI's `/v1/batches`: the lines of an uploaded file as one job."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from emotion_llama.batch import Batch, BatchList
from emotion_llama_server import paths
from emotion_llama_server.batches.errors import BatchMissing
from emotion_llama_server.batches.form import BatchRequest
from emotion_llama_server.batches.runner import Runner
from emotion_llama_server.gate.caller import key_name
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of

_MOST = 100
"""The number of batches in the longest page."""

router = APIRouter(route_class=ErrorRoute, tags=["batches"])


@router.post(paths.BATCHES)
async def create_batch(body: BatchRequest, raw_request: Request) -> Batch:
    """Have the lines of an uploaded file answered while nobody waits for the model."""
    return await _runner(raw_request).create(key_name(raw_request.scope), body)


@router.get(paths.BATCHES)
async def list_batches(
    raw_request: Request,
    after: Annotated[str | None, Query(description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 20,
) -> BatchList:
    """List your batches, the newest first."""
    return await _runner(raw_request).store.page(key_name(raw_request.scope), after, limit)


@router.get(paths.BATCH)
async def retrieve_batch(batch_id: str, raw_request: Request) -> Batch:
    """Describe one of your batches."""
    return await _runner(raw_request).store.get(key_name(raw_request.scope), batch_id)


@router.post(paths.BATCH_CANCEL)
async def cancel_batch(batch_id: str, raw_request: Request) -> Batch:
    """End one of your batches; what is answered until then is kept."""
    return await _runner(raw_request).cancel(key_name(raw_request.scope), batch_id)


def _runner(raw_request: Request) -> Runner:
    storage = services_of(raw_request.app).storage
    if storage is None:  # the routes are there only with it
        raise BatchMissing
    return storage.batches
