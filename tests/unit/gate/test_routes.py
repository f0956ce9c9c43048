"""Which routes and methods answer, on a small app and on vLLM's own without an engine."""

import json
from argparse import Namespace
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from vllm.entrypoints.launchers.app import build_app
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser

from emotion_llama_server import exposure, gate
from emotion_llama_vllm.runtime import PLUGINS
from tests.support.gate import Call, House, gauge, until

PROBES = ("/livez", "/readyz", "/health", "/ping")
PAGES = ("/version", "/metrics", "/v1/models", "/docs", "/openapi.json")
WORK = ("/v1/chat/completions", "/v1/emotion", "/api/predict/", "/api/predict", "/process_video")
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get", "X" * 5000)


@dataclass
class Vllms:
    """vLLM's app with our routes and the gate, and with nothing behind them."""

    app: FastAPI


class Engine:
    errored = False

    async def check_health(self) -> None:
        """Report good health."""


class Models:
    async def show_available_models(self) -> Namespace:
        """Name no model."""
        return Namespace(data=[])


@pytest.fixture
def vllms(clean_environment: pytest.MonkeyPatch) -> Vllms:
    clean_environment.setenv("VLLM_PLUGINS", ",".join(PLUGINS))
    parser = make_arg_parser(FlexibleArgumentParser())
    args: Namespace = parser.parse_args(["--middleware", gate.MIDDLEWARE])  # type: ignore[assignment]
    app = build_app(args, ("generate",))
    exposure.close_others(app, ())
    app.state.emotion_llama_doorkeeper = gate.prepare(app.state, args)
    app.state.engine_client = Engine()
    app.state.openai_serving_models = Models()
    app.state.emotion_llama_card = SimpleNamespace(description="")
    return Vllms(app)


async def test_head_answers_as_get_does_without_its_body(vllms: Vllms) -> None:
    for path in (*PROBES, *PAGES, "/", "/nowhere", "/docs/", "/metrics/"):
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


async def test_other_methods_are_refused_everywhere_unread(vllms: Vllms) -> None:
    for path in (*PROBES, *PAGES, *WORK, "/", "/metrics/x", "/metricsx"):
        is_work = path in WORK
        for method in (*OTHERS, "GET" if is_work else "POST"):
            call = await Call(vllms, path, method, body=None).answer()
            assert (call.status, call.reads) == (405, 0), (path, method)
            assert call.answered["allow"] == ("POST" if is_work else "GET, HEAD")
            assert call.answered["x-request-id"]


async def test_what_has_no_route_is_refused_unread(vllms: Vllms) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        call = await Call(vllms, "/nowhere", method, body=None).answer()
        assert (call.status, call.reads) == (404, 0)
        assert json.loads(call.text)["error"]["code"] == 404
    for method in ("DELETE", "TRACE", "X" * 5000):
        assert (await Call(vllms, "/nowhere", method, body=None).answer()).status == 405


async def test_a_further_slash_is_redirected_before_a_slot_is_taken(vllms: Vllms) -> None:
    vllms.app.state.emotion_llama_doorkeeper.close("The server is shutting down.")
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


async def test_what_clients_send_makes_no_further_time_series(vllms: Vllms) -> None:
    def names() -> set[tuple[str, ...]]:
        samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
        return {(s.name, *s.labels.keys(), *s.labels.values()) for s in samples}

    async def ask(number: int) -> None:
        for path in ("/livez", "/v1/emotion", f"/nowhere/{number}", f"/metrics/{number}"):
            await Call(vllms, path, f"METHOD{number}", body=None).answer()
        await Call(vllms, f"/nowhere/{number}", "GET").answer()
        headers = {"X-API-Key": str(number), "X-Request-Id": str(number)}
        await Call(vllms, "/livez", "GET", headers).answer()

    await ask(0)
    before = names()
    for number in range(1, 20):
        await ask(number)
    assert names() == before
