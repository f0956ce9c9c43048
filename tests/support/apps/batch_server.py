"""Serves files and batches in a process that a test kills; the model answers after a moment.

python -m tests.support.apps.batch_server FOLDER PORT
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from emotion_llama_server import storage
from emotion_llama_server.gate import Gate
from emotion_llama_server.routes import error_route
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.storage import Storage
from tests.support.apps.services import services

_ANSWER_SECONDS = 0.02


async def _models() -> list[str]:
    return ["demo"]


async def _answer(raw_request: Request) -> Response:
    body = await raw_request.json()
    await asyncio.sleep(_ANSWER_SECONDS)
    return JSONResponse({"said": body["question"]})


async def main(folder: Path, port: int) -> None:
    """Serve until the process is killed."""
    app, settings = FastAPI(), ServerSettings(data_dir=folder)
    storage.install(app)
    app.add_api_route("/v1/emotion", _answer, methods=["POST"])
    error_route.install(app)
    app.add_middleware(Gate)
    parts = services(settings)
    kept = Storage.open(app, settings, parts.lifecycle, _models)
    assert kept is not None
    shared = {"doorkeeper": parts.doorkeeper, "lifecycle": parts.lifecycle}
    install(app, services(settings, storage=kept, **shared))
    await kept.start(parts.lifecycle)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error")).serve()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
