"""Requests whose bodies cost more than their bytes, unless the server bounds them first."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pybase64
import requests

from tests.fuzz.clips import data_url
from tests.fuzz.corpus import corpus
from tests.fuzz.target import Shot, Target, chat, post_json

_CHAT, _EMOTION, _MCP = "/v1/chat/completions", "/v1/emotion", "/mcp"
_FILES, _BATCHES = "/v1/files", "/v1/batches"
_ROUTES = (_CHAT, _EMOTION, "/api/predict/", "/process_video")
_REFUSED = frozenset({400, 404, 413})
_ANSWERED = frozenset({200})
_EITHER = _REFUSED | _ANSWERED
_MIB = 1 << 20

_STRUCTURES: dict[str, Callable[[], bytes]] = {
    "a doubled key": lambda: _doubled_key(60_000),
    "many keys": lambda: json.dumps(dict.fromkeys(map(str, range(200_000)), 1)).encode(),
    "brackets": lambda: b"[" + b"[]," * (11 * _MIB // 3) + b"[]]",
    "braces": lambda: b"[" + b"{}," * (11 * _MIB // 3) + b"{}]",
    "brackets in a text": lambda: b'{"video": "' + b"[{," * _MIB + b'"}',
    "depth": lambda: b"[" * 8000 + b"]" * 8000,
    "numbers": lambda: b"[" + b"1," * (4 * _MIB) + b"1]",
    "empty strings": lambda: b"[" + b'"",' * _MIB + b'""]',
    "escaped quotes": lambda: b'["' + b'\\"' * (4 * _MIB) + b'"]',
    "escapes": lambda: b'{"video": "' + b"\\u4f60" * (2 * _MIB) + b'"}',
    "backslashes": lambda: b'{"video": "' + b"\\\\" * (4 * _MIB) + b'"}',
    "a long whole number": lambda: b'{"seed": ' + b"9" * (4 * _MIB) + b"}",
    "a long fraction": lambda: b'{"temperature": 0.' + b"1" * (3 * _MIB) + b"}",
    "a long key": lambda: b'{"' + b"k" * (8 * _MIB) + b'": 1}',
    "a string without end": lambda: b'{"video": "' + b"x" * (64 * _MIB),
    "blanks": lambda: b"[" + b" " * (8 * _MIB) + b"]",
    "utf-16": lambda: json.dumps({"video": "x" * _MIB}).encode("utf-16"),
}
_LONG_NAMES = {
    "a long URL": "http://127.0.0.1/" + "x" * (10 * _MIB),
    "a long URL of other letters": "http://例え.テスト/" + "é" * (5 * _MIB),
    "a long host": "http://" + "é." * (5 * _MIB),
    "a long path": "a/" * (5 * _MIB),
    "a long data URL of no clip": "data:video/mp4;base64," + "A" * (64 * _MIB),
    "a long data URL without base64": "data:," + "é" * (8 * _MIB),
}
_CHAT_FIELDS: dict[str, tuple[dict[str, Any], frozenset[int]]] = {
    "messages": ({"messages": [{"role": "user", "content": "x"}] * 200_000}, _REFUSED),
    "256 messages": ({"messages": [{"role": "user", "content": "x"}] * 256}, _EITHER),
    "messages that are none": ({"messages": [1] * 16_000}, _REFUSED),
    "256 messages that are none": ({"messages": [{"role": 1, "content": [1]}] * 256}, _REFUSED),
    "parts": ({"messages": [{"role": "user", "content": ["x"] * 200_000}]}, _REFUSED),
    "256 parts": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 256}]},
        _EITHER,
    ),
    "tool calls": (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "x"}] * 100}] * 80},
        _REFUSED,
    ),
    "a long text": ({"messages": [{"role": "user", "content": "x " * (2 * _MIB)}]}, _REFUSED),
    "a long data URL as text": (
        {"messages": [{"role": "user", "content": "data:," + "x" * (20 * _MIB)}]},
        _REFUSED,
    ),
    "a model's long name": ({"model": "/a" * 8000}, frozenset({404})),
    "a model's longer name": ({"model": "/a" * _MIB}, frozenset({404})),
    "a long role": ({"messages": [{"role": "/a" * _MIB, "content": "x"}]}, _REFUSED),
    "a long tool choice": ({"tool_choice": "/a" * 8000}, _REFUSED),
    "a long unknown field": ({"x" * (2 * _MIB): 1}, _EITHER),
    "a long unknown value": ({"x": "/a" * 8000}, _REFUSED),
    "answers": ({"n": 16_384}, _REFUSED),
    "answers as text": ({"n": "16384"}, _REFUSED),
    "8 answers": ({"n": 8}, _ANSWERED),
    "beams": ({"n": 9, "use_beam_search": True}, _REFUSED),
    "8 beams": ({"n": 8, "use_beam_search": True, "max_tokens": 8}, _EITHER),
    "tokens": ({"max_tokens": 10**6, "ignore_eos": True}, _REFUSED),
    "completion tokens": ({"max_completion_tokens": 2**40}, _REFUSED),
    "least tokens": ({"min_tokens": 10**9}, _REFUSED),
    "stop texts": ({"stop": ["x"] * 10_000}, _REFUSED),
    "stop tokens": ({"stop_token_ids": list(range(10_000))}, _REFUSED),
    "bad words": ({"bad_words": [f"w{n}" for n in range(1000)]}, _REFUSED),
    "biases": ({"logit_bias": {str(n): 1 for n in range(10_000)}}, _REFUSED),
    "allowed tokens": ({"allowed_token_ids": [1] * 10_000}, _REFUSED),
    "log-probabilities": (
        {"logprobs": True, "top_logprobs": 20, "max_tokens": 2000, "n": 8},
        _REFUSED,
    ),
    "many log-probabilities": (
        {"logprobs": True, "top_logprobs": 20, "max_tokens": 900, "ignore_eos": True},
        _EITHER,
    ),
    "the prompt's log-probabilities": ({"prompt_logprobs": 1}, _ANSWERED),
    "the prompt's many log-probabilities": ({"prompt_logprobs": 20}, _REFUSED),
    "repetition": (
        {"repetition_detection": {"max_pattern_size": 10**6, "min_count": 2}},
        _REFUSED,
    ),
    "extra arguments": ({"vllm_xargs": {"kv_transfer_params": 1}}, _REFUSED),
    "transfer parameters": ({"kv_transfer_params": {"prompt_token_ids": [1]}}, _REFUSED),
    "a large form": ({"response_format": {"type": "x" * (3 * _MIB)}}, _REFUSED),
}
_EMOTION_FIELDS: dict[str, dict[str, Any]] = {
    "labels": {"labels": [str(n) for n in range(10_000)]},
    "long labels": {"labels": ["x" * _MIB, "y"]},
    "a long question": {"question": "x" * (3 * _MIB)},
    "a long transcript": {"transcript": "é" * _MIB},
    "long features": {"features": "A" * (3 * _MIB)},
    "unknown fields": {f"field{n}": n for n in range(1000)},
    "a tiny step": {"timeline": {"window": 0.5, "step": 5e-324}},
    "a huge window": {"timeline": {"window": 1e308, "step": 1e308}},
    "tokens": {"max_tokens": 10**9},
}


def body_shots(target: Target, largest: bool = True) -> Iterator[Shot]:
    """Yield each request once; `largest` includes those of tens of megabytes."""
    for shot in _all_shots(target):
        assert isinstance(shot.request.body, bytes)
        if largest or len(shot.request.body) < 16 * _MIB:
            yield shot
    if largest:
        yield from _large_clips(target)


def _all_shots(target: Target) -> Iterator[Shot]:
    for name, make in _STRUCTURES.items():
        data = make()
        for route in (*_ROUTES, _BATCHES):
            yield _shot(name, _posted(target, route, data), _REFUSED)
    for name, clip in _LONG_NAMES.items():
        for route in _ROUTES:
            yield _shot(name, post_json(target.url + route, _about(target, route, clip)), _REFUSED)
        # There an error about a clip is the tool's answer; a body of too many escapes is refused.
        body = json.dumps(_about(target, _MCP, clip)).encode()
        yield _shot(name, _posted(target, _MCP, body), _EITHER)
    clip = data_url(corpus()[0].data)
    for name, (fields, statuses) in _CHAT_FIELDS.items():
        body = chat(target.model, clip) | fields
        yield _shot(name, post_json(target.url + _CHAT, body), statuses)
    for name, fields in _EMOTION_FIELDS.items():
        body = {"video": clip, "task": "emotion"} | fields
        statuses = _EITHER if name in ("a huge window", "tokens") else _REFUSED
        yield _shot(name, post_json(target.url + _EMOTION, body), statuses)
    yield from _form_shots(target)


def _form_shots(target: Target) -> Iterator[Shot]:
    """Yield bodies that are no JSON."""
    boundary = b"--x\r\n"
    part = boundary + b'Content-Disposition: form-data; name="request"'
    forms = {
        "many parts": (part + b"\r\n\r\n{}\r\n") * 50_000 + b"--x--\r\n",
        "a part's long header": part + b"; x=" + b"y" * (4 * _MIB) + b"\r\n\r\n{}\r\n--x--\r\n",
        "a part's many headers": part + b"\r\nX: y" * 500_000 + b"\r\n\r\n{}\r\n--x--\r\n",
        "a part without end": part + b"\r\n\r\n" + b"\r\n--" * _MIB,
    }
    for name, data in forms.items():
        kind = "multipart/form-data; boundary=x"
        yield _shot(name, _posted(target, _EMOTION, data, kind), _REFUSED)
        file = data.replace(b'name="request"', b'name="file"; filename="a"')
        yield _shot(name, _posted(target, _FILES, file, kind), _REFUSED)
    slow = part + b"\r\n\r\n" + b"99" * (512 << 10) + b"\r\n--x--\r\n"
    kind = "multipart/form-data; boundary=x; charset=punycode"
    yield _shot("a part in a slow charset", _posted(target, _EMOTION, slow, kind), _REFUSED)
    pairs = b"&".join([b"a=1"] * _MIB)
    for route in _ROUTES:
        request = _posted(target, route, pairs, "application/x-www-form-urlencoded")
        yield _shot("a form of pairs", request, _REFUSED | {415})


def _large_clips(target: Target) -> Iterator[Shot]:
    """Yield clips of nearly the most bytes, which are legal until they are decoded."""
    text = pybase64.b64encode(corpus()[0].data + bytes(range(256)) * (255 << 10)).decode()
    clip = f"data:video/mp4;base64,{text}"
    for route in (*_ROUTES, _MCP):
        body = json.dumps(_about(target, route, clip)).encode()
        yield _shot("the largest clip", _posted(target, route, body), _EITHER)
    # The parser takes escapes one by one: at full size, as PHP writes it, it is 0.23 s of a core.
    half = f"data:video/mp4;base64,{text[: len(text) // 8 * 4]}"
    body = json.dumps(_about(target, _CHAT, half)).replace("/", "\\/").encode()
    yield _shot("half the largest clip, escaped", _posted(target, _CHAT, body), _EITHER)
    body = json.dumps(chat(target.model, clip, "你好"), ensure_ascii=False).encode()
    yield _shot("the largest clip, Chinese", _posted(target, _CHAT, body), _EITHER)


def _shot(name: str, request: requests.PreparedRequest, statuses: frozenset[int]) -> Shot:
    return Shot(f"body, {name}", f"{name}: {request.path_url}", request, statuses)


def _posted(
    target: Target, route: str, data: bytes, kind: str = "application/json"
) -> requests.PreparedRequest:
    headers = {"Content-Type": kind, "Accept": "*/*"}
    return requests.Request("POST", target.url + route, headers, data=data).prepare()


def _about(target: Target, route: str, clip: str) -> dict[str, Any]:
    """Return a body about a clip, as the route has it."""
    return {
        _EMOTION: {"video": clip, "task": "emotion", "max_tokens": 1},
        _CHAT: chat(target.model, clip),
        _MCP: _tool_call({"video": clip, "task": "emotion"}),
        "/api/predict/": {"data": [clip, "[emotion]"]},
        "/process_video": {"video_path": clip, "question": "[emotion]"},
    }[route]


def _tool_call(arguments: dict[str, Any]) -> dict[str, Any]:
    params = {"name": "analyze_video", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def _doubled_key(count: int) -> bytes:
    """Return an object whose last key alone comes twice."""
    keys = ",".join(f'"k{n}":1' for n in range(count))
    return ("{" + keys + f',"k{count - 1}":1}}').encode()
