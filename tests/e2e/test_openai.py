"""`/v1/chat/completions` as the OpenAI SDK uses it."""

import concurrent.futures
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pybase64
import pytest
import requests
from PIL import Image

from demo.generate import write_clip
from demo.recipe import numbered
from devtools.media import picture
from devtools.server import Server
from emotion_llama_vllm import demo_files
from tests.e2e.conftest import MODEL
from tests.support.golden.reference import Reference

QUESTION = "The person in video says: hello.  [emotion] Which emotion is this?"
WHY = "The person in video says: .  [reason] Which emotion does this reflect, and why?"


def message(url: str, text: str = QUESTION) -> Any:
    return {
        "role": "user",
        "content": [
            {"type": "video_url", "video_url": {"url": url}},
            {"type": "text", "text": text},
        ],
    }


def ask(client: openai.OpenAI, *messages: Any, **options: Any) -> Any:
    options = {"max_tokens": 12, "temperature": 0, **options}
    return client.chat.completions.create(model=MODEL, messages=list(messages), **options)


def answer(client: openai.OpenAI, url: str, **options: Any) -> str:
    return ask(client, message(url), **options).choices[0].message.content


def data_url(path: Path) -> str:
    return f"data:video/mp4;base64,{pybase64.b64encode(path.read_bytes()).decode()}"


def container(clip: Path, features: np.ndarray) -> str:
    """An `.npz` of a clip and its features, as a data URL."""
    data = io.BytesIO()
    np.savez(data, video=np.frombuffer(clip.read_bytes(), np.uint8), features=features)
    return f"data:application/zip;base64,{pybase64.b64encode(data.getvalue()).decode()}"


@pytest.fixture(scope="module")
def drawn(media_root: Path) -> list[str]:
    """Sixteen drawn clips, of all families."""
    plans = [numbered("val", 7, 7 * index) for index in range(16)]
    for plan in plans:
        write_clip(plan, media_root)
    return [f"{plan.name}.mp4" for plan in plans]


def test_a_path_a_file_url_an_http_url_and_a_data_url_are_one_clip(
    client: openai.OpenAI, media_root: Path, origin: str
) -> None:
    path = media_root / "smile.mp4"
    shutil.copy(demo_files.clips() / "happy_face.mp4", path)
    urls = ["smile.mp4", str(path), path.as_uri(), f"http://{origin}/smile.mp4", data_url(path)]
    assert {answer(client, url) for url in urls} == {answer(client, "happy_face.mp4")}
    assert answer(client, "smile.mp4") != answer(client, "sad_face.mp4")


@pytest.mark.parametrize("name", ["silent.mp4", "recorded.webm", "camera.avi"])
def test_other_kinds_of_clips_are_answered(client: openai.OpenAI, name: str) -> None:
    assert ask(client, message(name)).usage.completion_tokens > 0


def test_the_demos_own_clips_are_readable(client: openai.OpenAI) -> None:
    assert ask(client, message("happy_face.mp4")).usage.completion_tokens > 0


def test_streaming_gives_the_same_text_in_pieces(client: openai.OpenAI) -> None:
    pieces = [
        chunk.choices[0].delta.content
        for chunk in ask(client, message("clip1.mp4", WHY), stream=True)
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(pieces) > 1
    told = ask(client, message("clip1.mp4", WHY)).choices[0].message.content
    assert "".join(pieces) == told


def test_a_follow_up_question_keeps_the_clip(client: openai.OpenAI, server: Server) -> None:
    first = answer(client, "clip2.mp4")
    turns = [message("clip2.mp4"), {"role": "assistant", "content": first}]
    body = {
        "model": MODEL,
        "messages": [*turns, {"role": "user", "content": "Why?"}],
        "max_tokens": 1,
        "return_token_ids": True,
    }
    made = requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=60).json()
    assert made["prompt_token_ids"].count(0) == 20
    assert answer(client, "clip2.mp4") == first


def test_text_alone_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="no clip in this conversation"):
        ask(client, {"role": "user", "content": "hello"})


@pytest.mark.parametrize("field", [{"files": []}, {"video": "clip1.mp4"}])
def test_a_clip_that_was_lost_on_the_way_is_told(
    client: openai.OpenAI, field: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError, match="beside `messages` is not read"):
        ask(client, {"role": "user", "content": QUESTION}, extra_body=field)


def test_a_file_part_is_the_same_clip(client: openai.OpenAI) -> None:
    encoded = data_url(demo_files.clips() / "happy_face.mp4")
    for data in (encoded, encoded.partition(",")[2]):
        file = {"type": "file", "file": {"file_data": data, "filename": "clip.mp4"}}
        content = [file, {"type": "text", "text": QUESTION}]
        assert ask(client, {"role": "user", "content": content}).choices[0].message.content == (
            answer(client, "happy_face.mp4")
        )


def test_a_picture_is_a_clip_of_one_frame_with_a_warning(
    client: openai.OpenAI, media_root: Path
) -> None:
    Image.fromarray(picture(160, 120)).save(media_root / "face.png")
    part = {"type": "image_url", "image_url": {"url": "face.png"}}
    content: Any = [{"type": "text", "text": QUESTION}, part]
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": content}], max_tokens=12, temperature=0
    )
    assert raw.headers["X-Warning"].startswith("picture_as_clip: ")
    assert raw.parse().choices[0].message.content == answer(client, "face.png")


def test_a_system_message_changes_the_prompt(client: openai.OpenAI) -> None:
    plain = ask(client, message("clip1.mp4"))
    told = ask(client, {"role": "system", "content": "Be brief."}, message("clip1.mp4"))
    assert told.usage.prompt_tokens > plain.usage.prompt_tokens


def test_sixteen_at_once_give_the_answers_of_one_by_one(
    client: openai.OpenAI, drawn: list[str]
) -> None:
    def why(name: str) -> str:
        return ask(client, message(name, WHY), max_tokens=160).choices[0].message.content

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        together = list(pool.map(why, drawn))
    alone = [why(name) for name in drawn]
    assert together == alone
    assert len(set(alone)) > 8


def test_many_long_seeded_prompts_at_once_are_answered(client: openai.OpenAI) -> None:
    """More than one step computes: a part of one of them ended vLLM's engine on CPUs."""

    def ask(seed: int) -> str | None:
        words = " ".join(f"word{seed}-{number}" for number in range(150))
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[message("clip1.mp4", words)],
            max_tokens=2,
            seed=seed,
            temperature=1,
        )
        return answer.choices[0].finish_reason

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert set(pool.map(ask, range(48))) <= {"stop", "length"}


def test_logprobs_stop_n_and_structured_outputs(client: openai.OpenAI) -> None:
    several = ask(client, message("clip1.mp4"), n=3, temperature=1, logprobs=True, top_logprobs=2)
    assert len(several.choices) == 3
    assert len(several.choices[0].logprobs.content[0].top_logprobs) == 2
    whole = answer(client, "clip1.mp4")
    stop = whole[len(whole) // 2 :]
    assert answer(client, "clip1.mp4", stop=[stop]) == whole[: whole.index(stop)]
    choice = {"structured_outputs": {"choice": ["happy", "sad"]}}
    assert answer(client, "clip1.mp4", extra_body=choice) in ("happy", "sad")


def test_features_come_in_an_npz_container(client: openai.OpenAI, reference: Reference) -> None:
    """Zeros in place of what was heard are what the model knows as no sound."""
    clip = demo_files.clips() / "angry_voice.mp4"

    def with_sound(row: float) -> str:
        features = np.full((3, reference.config.feature_size), np.nan, np.float32)
        features[2] = row
        return answer(client, container(clip, features)).strip()

    assert with_sound(np.nan) == answer(client, "angry_voice.mp4").strip() == "angry"
    assert with_sound(0.0) == "neutral"


def test_each_row_of_an_npz_container_reaches_the_model(
    client: openai.OpenAI, media_root: Path, reference: Reference
) -> None:
    clip = media_root / "clip5.mp4"

    def second_log_probability(url: str) -> float:
        made = ask(client, message(url), max_tokens=1, logprobs=True, top_logprobs=2)
        return made.choices[0].logprobs.content[0].top_logprobs[1].logprob  # the first is sure

    def with_features(value: float) -> float:
        features = np.full((3, reference.config.feature_size), np.nan, np.float32)
        features[:2] = value
        return second_log_probability(container(clip, features))

    plain = second_log_probability("clip5.mp4")
    assert with_features(np.nan) == pytest.approx(plain, abs=1e-5)
    assert abs(with_features(3.0) - plain) > 1e-3
    assert abs(with_features(3.0) - with_features(-3.0)) > 1e-3


def test_the_penalty_sees_the_generated_tokens(client: openai.OpenAI) -> None:
    def penalised(value: float) -> str:
        body = {"vllm_xargs": {"generated_repetition_penalty": value}}
        told = ask(client, message("clip6.mp4", WHY), max_tokens=40, extra_body=body)
        return told.choices[0].message.content

    plain = ask(client, message("clip6.mp4", WHY), max_tokens=40)
    assert penalised(1.0) == plain.choices[0].message.content
    assert penalised(5.0) != penalised(1.0)


def test_models_docs_and_metrics(client: openai.OpenAI, server: Server) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    document = requests.get(f"{server.url}/openapi.json", timeout=30).json()
    assert {"/api/predict/", "/process_video", "/v1/chat/completions"} <= document["paths"].keys()
    assert requests.get(f"{server.url}/docs", timeout=10).status_code == 200
    metrics = requests.get(f"{server.legacy_url}/metrics", timeout=10).text
    assert 'handler="/process_video"' in metrics or "vllm:" in metrics
