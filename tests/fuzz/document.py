"""Requests that schemathesis makes of the server's own OpenAPI document, valid ones and others."""

from collections.abc import Iterator
from random import Random
from typing import Any

import requests
import schemathesis
from schemathesis import APIOperation, Case, GenerationMode

from tests.fuzz.clips import data_url
from tests.fuzz.corpus import corpus
from tests.fuzz.drawing import draw
from tests.fuzz.target import Shot, Target, chat

_CHAT, _EMOTION = "/v1/chat/completions", "/v1/emotion"
_SHARES = {_CHAT: 4, _EMOTION: 3}
_LIMITS = {_CHAT: ("max_tokens", "max_completion_tokens", "n"), _EMOTION: ("max_tokens",)}
"""Fields that could ask for much."""
_MOST = 2
_STEP = 0.05  # seconds; with less, a short clip has thousands of windows
_REFUSED = {
    *("media_io_kwargs", "mm_processor_kwargs", "chat_template", "chat_template_kwargs"),
    *("prompt_embeds", "priority", "cache_salt", "truncate_prompt_tokens"),
}
"""Fields with which the server looks no further."""


def document_shots(target: Target, seed: int, count: int) -> Iterator[Shot]:
    """At most `count` requests, most of them to the routes with the most fields."""
    schema = schemathesis.openapi.from_url(f"{target.url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    shares = [_SHARES.get(op.path, 1) if list(op.body) else 0 for op in operations]
    for operation, share in zip(operations, shares, strict=True):
        # Without a body, there is but one request to make.
        wanted = max(1, count * share // (2 * sum(shares)))
        for mode in GenerationMode:
            yield from _shots_at(operation, target, mode, seed, wanted)


def _shots_at(
    operation: APIOperation, target: Target, mode: GenerationMode, seed: int, count: int
) -> Iterator[Shot]:
    kind = f"{mode.value}, {operation.path}"
    cases: list[Case] = draw(operation.as_strategy(generation_mode=mode), count, seed)
    for index, case in enumerate(cases):
        if isinstance(case.body, dict):
            random = Random(f"{kind}/{seed}/{index}")
            case.body = _adapted(operation.path, case.body, target.model, random)
        request = requests.Request(**case.as_transport_kwargs(base_url=target.url)).prepare()
        yield Shot(kind, f"case {index} of seed {seed}", request)


def _adapted(path: str, body: dict[str, Any], model: str, random: Random) -> dict[str, Any]:
    """Let half of the bodies past what would stop nearly all of them; none may ask for much."""
    if path in _LIMITS and random.random() < 0.5:
        body = _chat(body, model, random) if path == _CHAT else _analysis(body)
    if isinstance(body.get("request"), dict):
        return body | {"request": _bounded(path, body["request"])}
    return _bounded(path, body)


def _chat(body: dict[str, Any], model: str, random: Random) -> dict[str, Any]:
    """A few of the fields beside messages and a model that are right."""
    names = [name for name in body if name not in _REFUSED]
    kept = random.sample(names, min(len(names), random.randint(1, 6)))
    question = chat(model, data_url(corpus()[0].data))
    if random.random() < 0.3:
        question["messages"] = [{"role": "user", "content": "x"}]
    return {name: body[name] for name in kept} | question


def _analysis(body: dict[str, Any]) -> dict[str, Any]:
    """The same with a clip that is right, as it is named or as a part."""
    if "request" in body:
        return {"request": body["request"], "video": corpus()[0].data}
    return body | {"video": data_url(corpus()[0].data)}


def _bounded(path: str, body: dict[str, Any]) -> dict[str, Any]:
    bounds = {field: _small(body.get(field)) for field in _LIMITS.get(path, ())}
    if isinstance(timeline := body.get("timeline"), dict):
        bounds["timeline"] = timeline | _coarse(timeline)
    return body | bounds


def _coarse(timeline: dict[str, Any]) -> dict[str, Any]:
    step = timeline.get("step")
    return {"step": _STEP} if isinstance(step, (int, float)) and 0 < step < _STEP else {}


def _small(value: object) -> object:
    """A small number, unless this is nothing that could be a large one."""
    is_harmless = isinstance(value, (list, dict)) or (isinstance(value, int) and value <= _MOST)
    return value if is_harmless else 1
