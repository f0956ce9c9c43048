"""Which routes and methods answer, on a small app and on vLLM's own without an engine."""

import json

import pytest
from prometheus_client import REGISTRY

from emotion_llama_server.routes import page
from emotion_llama_server.services import services_of
from tests.support.apps.gate import Call, House, gauge, until
from tests.support.apps.vllm_app import MODEL, VllmApp, vllm_app

PROBES = ("/livez", "/readyz", "/health", "/ping")
PAGES = (
    *("/", "/page/app.js", "/docs", "/docs/start.js", "/openapi.json"),
    *("/version", "/metrics", "/v1/models", f"/v1/models/{MODEL}"),
)
WORK = (
    "/v1/chat/completions",
    "/v1/emotion",
    "/api/predict/",
    "/api/predict",
    "/process_video",
    "/mcp",
)
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get", "X" * 5000)


@pytest.fixture
def vllms(clean_environment: pytest.MonkeyPatch) -> VllmApp:
    app = vllm_app(clean_environment)
    page.install(app.app, page.folder())
    return app


async def test_head_answers_as_get_does_without_its_body(vllms: VllmApp) -> None:
    for path in (*PROBES, *PAGES, "/nowhere", "/docs/", "/metrics/"):
        got = await Call(vllms, path, "GET").answer()
        head = await Call(vllms, path, "HEAD").answer()
        assert head.status == got.status
        assert head.text == ""
        assert head.answered.keys() == got.answered.keys()
        if path != "/metrics":  # which counts the requests
            for name in ("content-type", "content-length", "location"):
                assert head.answered.get(name) == got.answered.get(name)
    for path in (*PROBES, *PAGES):
        assert (await Call(vllms, path, "HEAD").answer()).status == 200
    for path in WORK:
        head = await Call(vllms, path, "HEAD").answer()
        assert (head.status, head.text, head.answered["allow"]) == (405, "", "POST")


async def test_other_methods_are_refused_everywhere_unread(vllms: VllmApp) -> None:
    for path in (*PROBES, *PAGES, *WORK, "/metrics/x", "/metricsx"):
        is_work = path in WORK
        for method in (*OTHERS, "GET" if is_work else "POST"):
            call = await Call(vllms, path, method, body=None).answer()
            assert (call.status, call.reads) == (405, 0), (path, method)
            assert call.answered["allow"] == ("POST" if is_work else "GET, HEAD")
            assert call.answered["x-request-id"]


async def test_what_has_no_route_is_refused_unread(vllms: VllmApp) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        call = await Call(vllms, "/nowhere", method, body=None).answer()
        assert (call.status, call.reads) == (404, 0)
        error = json.loads(call.text)["error"]
        assert (error["type"], error["code"]) == ("not_found_error", "route_not_found")
        assert error["message"].startswith(f"No {method} /nowhere here: ")
    for method in ("DELETE", "TRACE", "X" * 5000):
        assert (await Call(vllms, "/nowhere", method, body=None).answer()).status == 405


async def test_a_further_slash_is_redirected_before_a_slot_is_taken(vllms: VllmApp) -> None:
    services_of(vllms.app).doorkeeper.close("The server is shutting down.")
    call = await Call(vllms, "/v1/emotion/", body=None).answer()
    assert (call.status, call.reads) == (307, 0)
    assert call.answered["location"].endswith("/v1/emotion")


async def test_nobody_takes_a_slot_with_a_request_that_is_no_work() -> None:
    """Each of them used to wait for a slot, and then others found the queue full."""
    house = House(keys="alice:k", max_in_flight=1, max_waiting=0)
    inside = Call(house, headers={"X-API-Key": "k"}).start()
    await until(lambda: house.working == 1)
    for path in ("/livez", "/readyz", "/health", "/"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            call = await Call(house, path, method, body=None).answer()
            assert (call.status, call.answered["allow"], call.reads) == (405, "GET, HEAD", 0)
    for path, method, status in (("/nowhere", "POST", 404), ("/work", "DELETE", 405)):
        call = await Call(house, path, method, {"X-API-Key": "k"}, body=None).answer()
        assert (call.status, call.reads) == (status, 0)
    assert gauge("requests_waiting") == 0
    assert (await Call(house, headers={"X-API-Key": "k"}).answer()).status == 503
    house.go_on.set()
    await inside.task


async def test_what_clients_send_makes_no_further_time_series(vllms: VllmApp) -> None:
    def names() -> set[tuple[str, ...]]:
        samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
        return {(s.name, *s.labels.keys(), *s.labels.values()) for s in samples}

    async def ask(number: int) -> None:
        for path in ("/livez", "/v1/emotion", f"/nowhere/{number}", f"/metrics/{number}"):
            await Call(vllms, path, f"METHOD{number}", body=None).answer()
        for path in (f"/nowhere/{number}", f"/v1/models/{number}"):
            await Call(vllms, path, "GET").answer()
        headers = {"X-API-Key": str(number), "X-Request-Id": str(number)}
        await Call(vllms, "/livez", "GET", headers).answer()

    await ask(0)
    before = names()
    for number in range(1, 20):
        await ask(number)
    assert names() == before
