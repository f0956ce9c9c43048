"""The OpenAPI document of the whole app: complete, and with nothing in it that is not true."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from emotion_llama.error_codes import ERROR_CODES
from emotion_llama.schema import EmotionResponse
from emotion_llama_server.openapi.document import add_issuer
from tests.support.apps.vllm_app import vllm_app

HTTP_METHODS = {"get", "post"}


@pytest.fixture
def document(clean_environment: pytest.MonkeyPatch) -> dict[str, Any]:
    return vllm_app(clean_environment).app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_only_what_answers_is_in_it(document: dict[str, Any]) -> None:
    methods = {path: set(found) for path, found in document["paths"].items()}
    work = {"/v1/emotion", "/v1/chat/completions", "/api/predict/", "/process_video"}
    assert work <= methods.keys()
    for path, found in methods.items():
        assert found == ({"post"} if path in work else {"get"}), path


def test_every_name_is_unique_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    ids = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert max(ids.values()) == 1
    schemas = document["components"]["schemas"]
    assert set(references(document)) == schemas.keys()
    titles = Counter(schema.get("title") for schema in schemas.values())
    assert max(titles.values()) == 1, titles.most_common(3)
    assert not [name for name in schemas if "__" in name or name.endswith(("-Input", "-Output"))]


def test_every_status_that_is_sent_is_in_it_and_no_other(document: dict[str, Any]) -> None:
    work = {200, 400, 401, 403, 404, 408, 413, 415, 429, 431, 500, 503, 504}
    expected = {
        "/v1/emotion": work | {507},
        "/v1/chat/completions": work,
        "/api/predict/": work,
        "/process_video": work,
        "/v1/models": {200, 401, 403, 431, 503},
        "/v1/models/{model}": {200, 401, 403, 404, 431, 503},
        "/readyz": {200, 431, 503},
        "/livez": {200, 431},
    }
    for path, statuses in expected.items():
        for operation in document["paths"][path].values():
            assert set(map(int, operation["responses"])) == statuses, path
    for path, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, status)
            for content in answer.get("content", {}).values():
                error = content.get("example", {}).get("error", {})
                assert "error" not in content.get("example", {}) or error["code"] in ERROR_CODES


def test_keys_are_described_and_needed_where_they_are(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert "API key, or an access token" in schemes["bearer"]["description"]
    assert {frozenset(choice) for choice in document["security"]} == {
        frozenset({name}) for name in schemes
    }
    for path, _, operation in operations(document):
        is_open = path in ("/health", "/livez", "/readyz")
        assert operation.get("security") == ([] if is_open else None), path


@pytest.mark.parametrize("scope", [None, "ask"])
@pytest.mark.costly
def test_the_provider_of_tokens_is_described_where_there_is_one(
    clean_environment: pytest.MonkeyPatch, scope: str | None
) -> None:
    app = vllm_app(clean_environment).app
    assert "openid" not in app.openapi()["components"]["securitySchemes"]
    add_issuer(app, "https://login.example/", scope)
    scheme = app.openapi()["components"]["securitySchemes"]["openid"]
    assert scheme["type"] == "openIdConnect"
    assert scheme["openIdConnectUrl"] == "https://login.example/.well-known/openid-configuration"
    assert app.openapi()["security"][-1] == {"openid": [scope] if scope else []}


def test_what_is_asked_and_answered_has_examples(document: dict[str, Any]) -> None:
    chat = document["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]
    assert chat["application/json"]["example"]["messages"]
    for name in ("EmotionRequest", "PredictRequest", "ProcessVideoRequest"):
        assert document["components"]["schemas"][name]["examples"]
    answered = document["paths"]["/v1/emotion"]["post"]["responses"]["200"]["content"]
    EmotionResponse.model_validate(answered["application/json"]["example"])


def test_tools_are_not_in_it(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    assert not fields.keys() & {"tools", "tool_choice", "parallel_tool_calls", "priority"}
    assert {"messages", "max_tokens", "response_format"} <= fields.keys()


def test_each_field_of_a_request_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("EmotionRequest", "TimelineRequest", "PredictRequest", "ProcessVideoRequest"):
        for field, schema in schemas[name]["properties"].items():
            assert schema.get("description", "").endswith("."), f"{name}.{field}"
    answer = schemas["EmotionResponse"]["properties"]
    assert answer["confidence"]["description"] == "The probability of that label."
