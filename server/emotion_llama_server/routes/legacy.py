"""Answers the original's documented routes without any change for their callers.

`POST /api/predict/` (Gradio, port 7889 there) and `POST /process_video` (FastAPI, port 7887) use
the demo's prompt, sampling and post-processing, each in its documented shape.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictStr
from starlette.exceptions import HTTPException

from emotion_llama_server import paths
from emotion_llama_server.engine import Engine, EngineInput, SamplingParams, until_disconnect
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of
from emotion_llama_vllm import original
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.workers.decoder import decode_clip


class PredictRequest(BaseModel):
    """Represents the request `{"data": [video, prompt]}`."""

    data: Annotated[list[StrictStr], Field(min_length=2, max_length=2)]
    """The clip (path, URL, data URL or base64) and the prompt."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [{"data": ["happy_face.mp4", "[emotion] Which emotion is this?"]}]
        },
    )


class PredictResponse(BaseModel):
    """Represents the response `{"data": [text], "duration": seconds}`."""

    data: list[str]
    duration: float


class ProcessVideoRequest(BaseModel):
    """Represents the request `{"video_path": video, "question": text}`."""

    video_path: StrictStr
    """The clip: a path, a URL, a data URL or base64."""
    question: StrictStr
    """The prompt."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {"video_path": "happy_face.mp4", "question": "[reason] Which emotion, and why?"}
            ]
        },
    )


class ProcessVideoResponse(BaseModel):
    """Represents the response `{"response": text}`."""

    response: str


router = APIRouter(
    route_class=ErrorRoute,
    strict_content_type=False,  # gradio_client 0 sends no Content-Type
    tags=["legacy"],
)


@router.post(paths.PREDICT, response_model=PredictResponse)
@router.post(paths.PREDICT_BARE, response_model=PredictResponse, include_in_schema=False)
@until_disconnect
async def predict(body: PredictRequest, raw_request: Request) -> PredictResponse:
    """Answer a prompt about a clip, in the shape of the original's Gradio interface."""
    video, prompt = body.data
    return await answer(services_of(raw_request.app).engine, video, prompt)


@router.post(paths.PROCESS_VIDEO, response_model=ProcessVideoResponse)
@until_disconnect
async def process_video(body: ProcessVideoRequest, raw_request: Request) -> ProcessVideoResponse:
    """Answer a question about a clip, in the shape of the original's FastAPI server."""
    engine = services_of(raw_request.app).engine
    return ProcessVideoResponse(response=await _ask(engine, body.video_path, body.question))


async def answer(engine: Engine, video: str | ClipFile, prompt: str) -> PredictResponse:
    """Answer a prompt about a clip, and measure the duration in seconds."""
    started = time.monotonic()
    text = await _ask(engine, video, prompt)
    return PredictResponse(data=[text], duration=time.monotonic() - started)


async def _ask(engine: Engine, video: str | ClipFile, question: str) -> str:
    """Return the model's answer in one turn of the original's demo."""
    positions = min(original.MAX_POSITIONS, engine.max_model_len) - original.MAX_NEW_TOKENS
    question = await engine.fit(question, style="demo", max_positions=positions)
    prompt = await _render(engine, video, question)
    output = await engine.complete(prompt, sampling())
    return post_process(output.outputs[0].text)


async def _render(engine: Engine, video: str | ClipFile, question: str) -> EngineInput:
    if isinstance(video, ClipFile):
        return await engine.render_clip(await decode_clip(video), question, style="demo")
    content = [
        {"type": "video_url", "video_url": {"url": named(video)}},
        {"type": "text", "text": question},
    ]
    return await engine.render([{"role": "user", "content": content}], style="demo")


def sampling() -> SamplingParams:
    """Return the demo's sampling parameters, whose penalty ignores the prompt."""
    return SamplingParams(
        temperature=original.TEMPERATURE,
        top_p=original.TOP_P,
        top_k=original.TOP_K,
        max_tokens=original.MAX_NEW_TOKENS,
        extra_args={original.PENALTY_FIELD: original.REPETITION_PENALTY},
    )


def post_process(text: str) -> str:
    """Cut the answer as `conversation.py:221-226` of the original."""
    return text.split("###")[0].split("Assistant:")[-1].strip()


def named(video: str) -> str:
    """Return the clip's name.

    Raises:
        HTTPException: the name is empty.
    """
    if not video.strip():
        raise HTTPException(400, "Name a clip: its path or URL is empty.")
    return video
