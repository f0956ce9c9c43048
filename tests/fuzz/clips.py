"""Mutated clips as requests: in every way that a clip can come."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePath
from random import Random
from typing import Any

import pybase64
import requests

from tests.fuzz.corpus import corpus
from tests.fuzz.mutators import Mutant, mutant
from tests.fuzz.target import Shot, Target, chat, post_json

_STATUSES = frozenset({200, 400, 413, 415, 504})
_BASE64_STATUSES = _STATUSES | {404}  # what does not begin as a clip does may be a path

_WAYS = {"upload": 70, "timeline": 12, "chat": 8, "path": 5, "base64": 5}
_WAYS_OF_FEATURES = {
    ".npz": {"chat": 8, "path": 1, "base64": 1},
    ".npy": {"features": 1},
}
"""What comes along with a clip is not taken in every way."""


def clip_shots(target: Target, seed: int, count: int, first: int = 0) -> Iterator[Shot]:
    """Clips `first` to `first + count` of a seed."""
    for index in range(first, first + count):
        clip, random = mutant(seed, index), Random(f"way/{seed}/{index}")
        way = _way(clip, random)
        if way == "path" and target.media_root is None:
            way = "base64"
        origin = f"--seed {seed} --only {index} ({clip.history})"
        statuses = _BASE64_STATUSES if way == "base64" else _STATUSES
        yield Shot(f"clip, {way}", origin, clip_request(target, clip, way, random), statuses)


def intact_shots(target: Target) -> Iterator[Shot]:
    """The clips as they were, which are all to be answered."""
    for intact in corpus():
        clip, random = Mutant(intact.name, "intact", intact.data), Random(0)
        request = clip_request(target, clip, _way(clip, random), random)
        yield Shot("clip, intact", intact.name, request, frozenset({200}))


def clip_request(
    target: Target, clip: Mutant, way: str, random: Random
) -> requests.PreparedRequest:
    """Send a clip in one of the ways; for an answer of few tokens, where a route has a limit."""
    if way == "chat":
        body = chat(target.model, data_url(clip.data))
        return post_json(f"{target.url}/v1/chat/completions", body)
    if way == "base64":
        body = {"data": [_base64(clip.data), "[emotion]"]}
        return post_json(f"{target.url}/api/predict/", body)
    if way == "path":
        body = {"video_path": _written(target.media_root, clip), "question": "[emotion]"}
        return post_json(f"{target.url}/process_video", body)
    if way == "features":
        body = {"video": data_url(corpus()[0].data), "features": _base64(clip.data)}
        return post_json(f"{target.url}/v1/emotion", body | {"task": "emotion", "max_tokens": 1})
    fields: dict[str, Any] = {"frame": random.choice(("first", "first", "middle", 0.2))}
    if way == "timeline":
        fields["timeline"] = {"window": 0.5, "step": 0.25}
    return _upload(target, clip, fields)


def data_url(data: bytes) -> str:
    return f"data:video/mp4;base64,{_base64(data)}"


def _way(clip: Mutant, random: Random) -> str:
    suffix = ".npz" if clip.data.startswith(b"PK") else PurePath(clip.name).suffix
    ways = _WAYS_OF_FEATURES.get(suffix, _WAYS)
    return random.choices(list(ways), list(ways.values()))[0]


def _upload(target: Target, clip: Mutant, fields: dict[str, Any]) -> requests.PreparedRequest:
    request = {"task": "emotion", "max_tokens": 1, **fields}
    parts = {
        "video": (clip.name, clip.data, "application/octet-stream"),
        "request": (None, json.dumps(request), "application/json"),
    }
    return requests.Request("POST", f"{target.url}/v1/emotion", files=parts).prepare()


def _written(root: Path | None, clip: Mutant) -> str:
    """Put a clip into the media root; its path there."""
    assert root is not None
    folder = root / "mutants"
    folder.mkdir(exist_ok=True)
    (folder / clip.name).write_bytes(clip.data)
    return f"mutants/{clip.name}"


def _base64(data: bytes) -> str:
    return pybase64.b64encode(data).decode()
