"""Reserves places in the engine for vLLM's own routes, which send their requests themselves."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException
from vllm.entrypoints.serve.utils.api_utils import listen_for_disconnect, validate_json_request

from emotion_llama_server.chat.validation import check_json_request
from emotion_llama_server.services import services_of
from emotion_llama_vllm.shares import Shares, asking


async def hold_sequences(
    raw_request: Request, checked: Annotated[None, Depends(check_json_request)]
) -> AsyncGenerator[None, None]:
    """Reserve one place in the engine for each choice of the answer until it has ended.

    Raises:
        HTTPException: the client left while its key had no free place in the engine.
    """
    shares = services_of(raw_request.app).shares
    owner, count = asking.get().owner, _choices(await raw_request.json())
    taken = await _unless_gone(shares.sequences, owner, count, raw_request)
    try:
        yield
    finally:
        shares.sequences.release(owner, taken)


async def _unless_gone(sequences: Shares[str], owner: str, count: int, raw_request: Request) -> int:
    """Wait for the places as long as the client waits for its answer."""
    taking = asyncio.ensure_future(sequences.acquire(owner, count))
    gone = asyncio.ensure_future(listen_for_disconnect(raw_request))
    try:
        await asyncio.wait({taking, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            raise HTTPException(400, "The client closed the connection.")
        return taking.result()
    except BaseException:
        if not taking.cancel():
            sequences.release(owner, taking.result())
        raise
    finally:
        gone.cancel()


def _choices(body: Any) -> int:
    """Return the number of requested answers; vLLM refuses a value of a wrong type."""
    count = body.get("n") if isinstance(body, dict) else None
    return count if isinstance(count, int) and count > 1 else 1


def install(app: FastAPI) -> None:
    """Add the check and the reservation to vLLM's own check of its JSON routes."""
    app.dependency_overrides[validate_json_request] = hold_sequences
