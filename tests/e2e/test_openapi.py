"""The OpenAPI document: complete, and compatible with the snapshot of API v1.0.

A change that only adds may be made at will; `python -m tests.e2e.test_openapi URL` writes the
snapshot anew when the API's version rises.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from devtools.paths import CHECKOUT
from devtools.server import Server
from emotion_llama.schema import API_VERSION, EmotionRequest

ROUTES = ("/v1/emotion", "/api/predict/", "/process_video")
SNAPSHOT = CHECKOUT / "tests" / "data" / "openapi-1.0.json"
_WORDS = {"description", "title", "summary", "examples", "example"}


def document(url: str) -> dict[str, Any]:
    """Our routes of the document, every reference replaced by what it stands for."""
    whole = requests.get(f"{url}/openapi.json", timeout=60).json()
    return {route: resolved(whole["paths"][route], whole) for route in ROUTES}


def resolved(node: Any, whole: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [resolved(part, whole) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return resolved(whole["components"]["schemas"][node["$ref"].rpartition("/")[2]], whole)
    return {key: resolved(value, whole) for key, value in node.items()}


def breaks(old: Any, new: Any, place: str = "") -> list[str]:
    """Where something that was there is gone or different; words for people do not count."""
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{place}.{key} is gone" for key in old if key not in new and key not in _WORDS]
        both = [key for key in old if key in new and key not in _WORDS]
        return gone + [
            found for key in both for found in breaks(old[key], new[key], f"{place}.{key}")
        ]
    if place.endswith(".required") and old != new:
        return [f"{place} was {old}, is {new}"]
    if isinstance(old, list) and isinstance(new, list):
        return [
            f"{place} lacks {part}" for part in old if not any(not breaks(part, n) for n in new)
        ]
    return [] if old == new else [f"{place} was {old}, is {new}"]


@pytest.fixture(scope="module")
def current(server: Server) -> dict[str, Any]:
    return document(server.url)


def test_nothing_of_the_first_version_is_broken(current: dict[str, Any]) -> None:
    assert API_VERSION == "1.0"
    assert breaks(json.loads(SNAPSHOT.read_text(encoding="utf-8")), current) == []


@pytest.mark.parametrize(
    "path",
    [
        ("/v1/emotion", "post", "responses", "200", "content", "text/csv"),
        ("/process_video", "post", "requestBody", "content", "application/json", "schema",
         "properties", "question"),
        ("/api/predict/", "post", "responses", "404"),
    ],
)  # fmt: skip
def test_a_break_is_noticed(current: dict[str, Any], path: tuple[str, ...]) -> None:
    changed = json.loads(json.dumps(current))
    node = changed
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    assert breaks(current, changed) != []


def test_a_further_required_field_is_noticed(current: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(current))
    body = changed["/process_video"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"]["required"].append("api_key")
    assert len(breaks(current, changed)) == 1


def test_every_field_and_every_status_is_described(current: dict[str, Any]) -> None:
    route = current["/v1/emotion"]["post"]
    bodies = route["requestBody"]["content"]
    asked = bodies["application/json"]["schema"]
    assert set(asked["properties"]) == set(EmotionRequest.model_fields)
    assert asked["additionalProperties"] is False
    assert asked["examples"]
    assert bodies["multipart/form-data"]["schema"]["properties"]["request"] == asked
    statuses = {"200", "400", "404", "413", "415", "500", "503"}
    assert statuses <= set(route["responses"])
    for status in statuses - {"200"}:
        schema = route["responses"][status]["content"]["application/json"]["schema"]
        assert set(schema["properties"]) == {"error"}
    for legacy in ROUTES[1:]:
        described = current[legacy]["post"]
        assert described["requestBody"]["content"]["application/json"]["schema"]["examples"]
        for status in ("400", "404", "413", "500", "503"):
            schema = described["responses"][status]["content"]["application/json"]["schema"]
            assert set(schema["properties"]) == {"error", "code", "details"}


def fields(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field of each object in the document, with its place."""
    if isinstance(node, list):
        for part in node:
            yield from fields(part, place)
    elif isinstance(node, dict):
        for name, field in node.get("properties", {}).items():
            yield f"{place}.{name}", field
        for name, part in node.items():
            yield from fields(part, f"{place}.{name}")


def test_no_field_is_always_null(server: Server) -> None:
    """OpenAPI Generator makes no Python client of a document with such a field."""
    whole = requests.get(f"{server.url}/openapi.json", timeout=60).json()
    found = dict(fields(whole["components"]["schemas"]))
    assert ".FileObject.status_details" in found
    assert [place for place, field in found.items() if field.get("type") == "null"] == []


if __name__ == "__main__":
    text = json.dumps(document(sys.argv[1]), indent=1, ensure_ascii=False, sort_keys=True)
    SNAPSHOT.write_text(text + "\n", encoding="utf-8")
