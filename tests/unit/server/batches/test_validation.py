"""All lines are checked before one is asked: errors have the numbers of their lines."""

import io
import json
import time
import tracemalloc
from typing import Any

import pytest

from emotion_llama_server.batches import validation
from emotion_llama_server.batches.validation import Validation
from tests.support.apps.stored import line, lines

CHAT = "/v1/chat/completions"


def check(data: bytes, endpoint: str = "/v1/emotion", most: int = 10_000) -> Validation:
    checks = Validation(endpoint, ("demo", "other"), most)
    checks.found = list(checks.lines(io.BytesIO(data)))  # type: ignore[attr-defined]
    return checks


def codes(checks: Validation) -> list[tuple[str, int | None]]:
    return [(error.code, error.line) for error in checks.errors]


def test_each_line_is_found_again_at_its_place() -> None:
    data = b"\xef\xbb\xbf" + line("a", x="ä") + b"\r\n\n"
    data += line("b").strip() + b"\r\n" + line("c")[:-1]
    checks = check(data)
    assert not checks.errors
    found: Any = checks.found  # type: ignore[attr-defined]
    assert [(one.number, one.custom_id) for one in found] == [(1, "a"), (4, "b"), (5, "c")]
    for one in found:
        text = data[one.start : one.start + one.size].removeprefix(b"\xef\xbb\xbf")
        assert json.loads(text)["custom_id"] == one.custom_id


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        (b"{", "invalid_json_line", None),
        (b"[]", "invalid_json_line", None),
        (b"\xff\xfe", "invalid_json_line", None),
        (b'{"a": ' + b"[" * 3000 + b"]" * 3000 + b"}", "invalid_json_line", None),
        (b'{"custom_id": "a", "custom_id": "b"}', "invalid_json_line", "custom_id"),
        (line("a").replace(b'"method"', b'"Method"'), "invalid_json_line", "Method"),
        (line("a").replace(b"POST", b"GET"), "invalid_method", "method"),
        (line("a", url="/v1/emotions"), "mismatched_url", "url"),
        (line("a").replace(b"{}", b"[]"), "invalid_body", "body"),
        (line("a", stream=True), "invalid_body", "stream"),
        (line("a", model="gpt-4o"), "model_not_found", "model"),
        (line("a", model=["demo"]), "model_not_found", "model"),
        (line(""), "invalid_custom_id", "custom_id"),
        (line("x" * 513), "invalid_custom_id", "custom_id"),
        (line("a").replace(b'"a"', b"1"), "invalid_custom_id", "custom_id"),
        (line("a", x="y" * 20_000), "line_too_large", None),
        (line("good") + line("good"), "duplicate_custom_id", "custom_id"),
    ],
)
def test_a_wrong_line_is_named(data: bytes, code: str, param: str | None) -> None:
    good = line("good", model="demo")
    checks = check((good if b"good" not in data else b"") + data.rstrip(b"\n") + b"\n" + line("z"))
    assert codes(checks) == [(code, 2)]
    assert checks.errors[0].param == param
    assert checks.errors[0].message.endswith(".")
    assert checks.count == 2


def test_lines_name_the_route_of_the_batch() -> None:
    assert check(line("a", url=CHAT, model="demo"), CHAT).count == 1
    assert codes(check(line("a"), CHAT)) == [("mismatched_url", 1)]


@pytest.mark.parametrize("data", [b"", b"\n \r\n"])
def test_a_file_without_a_line_is_wrong_as_a_whole(data: bytes) -> None:
    assert codes(check(data)) == [("empty_file", None)]


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MOST_LINES", 3)
    assert not check(lines(3)).errors
    assert codes(check(lines(4))) == [("too_many_requests_in_file", None)]


def test_reading_ends_after_a_hundred_errors() -> None:
    file = io.BytesIO(b"{\n" * 100_000)
    checks = Validation("/v1/emotion", (), 10_000)
    assert not list(checks.lines(file))
    assert len(checks.errors) == 100
    assert file.tell() < 1000


def test_a_line_as_large_as_the_file_is_not_kept_in_memory() -> None:
    data = b'{"custom_id": "' + b"x" * (32 << 20) + b'"}\n' + line("a")
    tracemalloc.start()
    try:
        checks = check(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert codes(checks) == [("line_too_large", 1)]
    assert checks.count == 1
    assert most < 8 << 20


@pytest.mark.costly
def test_fifty_thousand_lines_take_seconds() -> None:
    text = [{"type": "text", "text": "Which emotion?"}]
    data = lines(50_000, video="clips/a_rather_long_name_of_a_clip.mp4", task="both", more=text)
    file = io.BytesIO(data)
    checks = Validation("/v1/emotion", ("demo",), 100_000)
    begun = time.process_time()
    assert sum(1 for _ in checks.lines(file)) == 50_000
    assert time.process_time() - begun < 10
