"""An answer of a form that was asked for says what the model says when it is free."""

import csv
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
import requests

from demo.measure.cases import make_cases
from devtools.server import Server
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.checkpoint.card import Card
from tests.e2e.conftest import MODEL

CLIPS, SEED = 104, 17
AGREEMENT = 0.98
LABELS = Card().labels

SCHEMA = {
    "type": "object",
    "properties": {"emotion": {"type": "string", "enum": LABELS}},
    "required": ["emotion"],
    "additionalProperties": False,
}


def plain(said: str) -> str:
    return said


def lower(said: str) -> str:
    return said.lower()


def of_json(said: str) -> str:
    return json.loads(said)["emotion"]


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}}


Read = Callable[[str], str]
FORMS: dict[str, tuple[dict[str, Any], Read]] = {
    "choice": ({"structured_outputs": {"choice": LABELS}}, plain),
    "choice, capitals": (
        {"structured_outputs": {"choice": [label.capitalize() for label in LABELS]}},
        lower,
    ),
    "regex": ({"structured_outputs": {"regex": f"({'|'.join(LABELS)})"}}, plain),
    "open regex": ({"structured_outputs": {"regex": "[a-z]+"}}, plain),
    "regex around a label": (
        {"structured_outputs": {"regex": rf'\{{"emotion": "({"|".join(LABELS)})"\}}'}},
        of_json,
    ),
    "json": ({"structured_outputs": {"json": SCHEMA}}, of_json),
    "json_schema": ({"response_format": json_schema(SCHEMA)}, of_json),
    "guided_choice": ({"guided_choice": LABELS}, plain),
    "guided_json": ({"guided_json": SCHEMA}, of_json),
}


def ask(server: Server, clip: str, question: str, **form: Any) -> str:
    content = [
        {"type": "video_url", "video_url": {"url": clip}},
        {"type": "text", "text": question},
    ]
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}], "temperature": 0}
    url = f"{server.url}/v1/chat/completions"
    response = requests.post(url, json=body | {"max_tokens": 64} | form, timeout=120)
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["message"]["content"]


def agreement(server: Server, asked: list[tuple[str, str]]) -> dict[str, float]:
    """Return the share of clips of which each form says what the free answer says."""

    def ask_all(form: dict[str, Any]) -> list[str]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda one: ask(server, *one, **form), asked))

    free = ask_all({})
    found = {}
    for name, (form, read) in FORMS.items():
        same = [read(said) == other for said, other in zip(ask_all(form), free, strict=True)]
        found[name] = sum(same) / len(same)
    return found


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_every_form_says_what_the_free_answer_says(server: Server, every: int) -> None:
    with (demo_files.clips() / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::every]
    asked = [(f"{row['name']}.mp4", row["question"]) for row in rows]
    assert agreement(server, asked) == dict.fromkeys(FORMS, 1.0)


@pytest.mark.slow
def test_every_form_agrees_on_the_test_clips(server: Server) -> None:
    asked = [(case.clip, case.text(case.emotion_question)) for case in make_cases(SEED, CLIPS)]
    found = agreement(server, asked)
    print(json.dumps(found, indent=2))
    assert min(found.values()) >= AGREEMENT, found


def test_a_form_about_a_clip_that_is_not_there_is_an_error_of_the_clip(server: Server) -> None:
    message = {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "no.mp4"}}]}
    body = {"model": MODEL, "messages": [message], "response_format": json_schema(SCHEMA)}
    response = requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=60)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "video_not_found"
    assert "no such file" in error["message"]


def test_a_form_can_be_streamed(client: openai.OpenAI) -> None:
    content: Any = [
        {"type": "video_url", "video_url": {"url": "happy_face.mp4"}},
        {"type": "text", "text": "[emotion] Which emotion is this?"},
    ]
    form: Any = json_schema(SCHEMA)
    pieces = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": content}],
        response_format=form,
        temperature=0,
        stream=True,
    )
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert json.loads(said) == {"emotion": "happy"}


def test_an_answer_and_its_tokens_are_the_same_words(server: Server) -> None:
    content = [
        {"type": "video_url", "video_url": {"url": "happy_face.mp4"}},
        {"type": "text", "text": "[reason] Which emotion does this reflect, and why?"},
    ]
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}], "logprobs": True}
    url = f"{server.url}/v1/chat/completions"
    choice = requests.post(url, json=body | {"max_tokens": 40}, timeout=60).json()["choices"][0]
    said = choice["message"]["content"]
    assert said == said.strip()
    assert said.count(" ") > 5
    assert "".join(token["token"] for token in choice["logprobs"]["content"]) == f" {said}"
