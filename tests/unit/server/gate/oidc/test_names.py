"""The name in a token: in limits, log and metrics, and never that of a key."""

import json
from typing import Any

import pytest
from prometheus_client import REGISTRY

from emotion_llama_server.gate import identity
from tests.support.apps.gate import Call, House, until
from tests.support.logs import hear_vllm
from tests.support.services.oidc import AUDIENCE, Provider

REQUESTS = "emotion_llama_requests_total"


def house(provider: Provider, **settings: Any) -> House:
    return House(oidc_issuer=provider.url, oidc_audience=AUDIENCE, **settings)


def call(house: House, token: str, path: str = "/look", method: str = "GET") -> Call:
    return Call(house, path, method, {"Authorization": f"Bearer {token}"})


def counted(key: str) -> float:
    return REGISTRY.get_sample_value(REQUESTS, {"key": key, "route": "other", "status": "200"}) or 0


async def test_a_holder_with_the_name_of_a_key_is_somebody_else(provider: Provider) -> None:
    limited = house(provider, keys="alice:k1", rate_limit="1/minute")
    limited.go_on.set()
    before = counted("alice"), counted("oidc:alice")
    with_key = {"X-API-Key": "k1"}
    assert (await Call(limited, headers=with_key).answer()).status == 200
    assert (await call(limited, provider.token(), "/work", "POST").answer()).status == 200
    assert (await call(limited, provider.token(), "/work", "POST").answer()).status == 429
    assert (await Call(limited, headers=with_key).answer()).status == 429
    bob = provider.token(sub="bob")
    assert (await call(limited, bob, "/work", "POST").answer()).status == 200
    assert (counted("alice"), counted("oidc:alice")) == (before[0] + 1, before[1] + 1)


async def test_the_shares_are_a_holders_own(provider: Provider) -> None:
    shared = house(provider, max_in_flight=1, max_waiting=0)
    first = call(shared, provider.token(), "/work", "POST").start()
    await until(lambda: shared.working == 1)
    assert (await call(shared, provider.token(), "/work", "POST").answer()).status == 503
    other = call(shared, provider.token(sub="bob"), "/work", "POST").start()
    await until(lambda: shared.working == 2)
    shared.go_on.set()
    await first.task
    await other.task


@pytest.mark.parametrize(
    ("claims", "claim", "name"),
    [
        ({}, "sub", "oidc:alice"),
        ({"client_id": "batch"}, "client_id", "oidc:batch"),
        ({"email": "a@b.example"}, "email", "oidc:a@b.example"),
        ({"sub": "auth0|12/3"}, "sub", "oidc:auth0|12/3"),
        ({"sub": "x key=root\nGET"}, "sub", "oidc:x%20key=root%0AGET"),
        ({"sub": "50%"}, "sub", "oidc:50%25"),
        ({"sub": "王"}, "sub", "oidc:%E7%8E%8B"),
    ],
)
async def test_the_log_names_the_holder_and_nothing_else_of_the_token(
    provider: Provider,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, str],
    claim: str,
    name: str,
) -> None:
    hear_vllm(caplog, monkeypatch)
    caplog.set_level("INFO")
    token = provider.token(**claims)
    await call(house(provider, oidc_name_claim=claim), token).answer()
    assert f"key={name} " in caplog.text
    assert token.rpartition(".")[2] not in caplog.text
    assert counted(name) > 0


async def test_a_holder_without_the_scope_is_named_in_the_log(
    provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_vllm(caplog, monkeypatch)
    caplog.set_level("INFO")
    refused = await call(house(provider, oidc_scope="ask"), provider.token()).answer()
    assert refused.status == 403
    assert "key=oidc:alice " in caplog.text


async def test_any_number_of_holders_has_a_limited_number_of_metrics(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MAX_HOLDERS", 3)
    many = house(provider, keys="carol:k3")
    before = counted(identity.OTHERS)
    for number in [*range(10), 0]:
        token = provider.token(sub=f"holder-{number}")
        assert (await call(many, token).answer()).status == 200
    await Call(many, "/look", "GET", {"X-API-Key": "k3"}).answer()
    assert [counted(f"oidc:holder-{number}") for number in range(4)] == [2, 1, 1, 0]
    assert counted(identity.OTHERS) == before + 7
    assert counted("carol") > 0


async def test_a_refused_token_makes_no_metric(provider: Provider) -> None:
    token = provider.token(sub="nobody-knows", exp=-100)
    refused = await call(house(provider), token).answer()
    assert json.loads(refused.text)["error"]["code"] == "invalid_token"
    labels = {
        sample.labels["key"]
        for m in REGISTRY.collect()
        for sample in m.samples
        if sample.name == REQUESTS
    }
    assert not [label for label in labels if "nobody-knows" in label]
