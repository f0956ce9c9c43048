"""The label of a path is one of a fixed set, whatever a client asks for."""

import pytest

from emotion_llama_server import paths


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/v1/emotion", "/v1/emotion"),
        ("/api/predict", "/api/predict"),
        ("/metrics", "/metrics"),
        ("/mcp", "/mcp"),
        ("/llms.txt", "/llms.txt"),
        ("/v1/models/a/b", "/v1/models/{model:path}"),
        ("/page/app.js", "/page/{file:path}"),
        ("/v1/files", "/v1/files"),
        ("/v1/files/file-1/content", "/v1/files"),
        ("/v1/batches/batch_1/cancel", "/v1/batches"),
        ("/v1/filesystem", "other"),
        ("/page/nowhere", "/page/{file:path}"),
        ("/run/predict", "/gradio_api"),
        ("/gradio_api/call/predict/abc", "/gradio_api"),
        ("/v1/emotion/", "other"),
        ("/metrics/../../etc", "other"),
        ("", "other"),
    ],
)
def test_a_path_has_the_label_of_its_route(path: str, label: str) -> None:
    assert paths.label(path) == label
