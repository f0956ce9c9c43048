"""The OpenAPI document without the fields of vLLM's requests that are refused here."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

_SCHEMAS = ("ChatCompletionRequest",)


def leave_out(app: FastAPI, fields: Iterable[str]) -> None:
    """Leave fields of vLLM's requests out of the app's document."""
    make, left_out = app.openapi, frozenset(fields)

    def document() -> dict[str, Any]:
        whole = make()
        for name in _SCHEMAS:
            schema = whole.get("components", {}).get("schemas", {}).get(name, {})
            for field in left_out & schema.get("properties", {}).keys():
                del schema["properties"][field]
        return whole

    app.openapi = document  # type: ignore[method-assign]
