"""A certified OpenID provider, `oidc-provider` for Node, in a process of its own."""

import asyncio
import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from jwt.algorithms import RSAAlgorithm

from devtools.paths import CHECKOUT
from devtools.server import free_port
from emotion_llama_server.gate.oidc import key_cache
from emotion_llama_server.start import flags
from tests.support.apps.gate import Call, House
from tests.support.npm import npm, require_npm
from tests.support.services.oidc import AUDIENCE, private_key

pytestmark = pytest.mark.slow

SCRIPT = CHECKOUT / "tests/support/services/provider.mjs"
SCOPE = "emotion:ask"


@dataclass(frozen=True)
class RealProvider:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, client: str = "robot", **asked: str) -> str:
        """Ask for a token as a program with a secret does."""
        form = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": SCOPE}
        answer = requests.post(
            f"{self.url}/token", data=form | asked, auth=(client, "secret"), timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_npm()
    folder = tmp_path_factory.mktemp("oidc-provider")
    (folder / "package.json").write_text('{"private": true}')
    npm(folder, "install", "--no-audit", "--no-fund", "oidc-provider@9.13.3")
    return folder


@contextlib.contextmanager
def running(packages: Path, port: int, key: str) -> Iterator[RealProvider]:
    """Run the provider with one key until the block ends."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(private_key(key, "RS256"), as_dict=True)
    keys = json.dumps([jwk | {"kid": key, "alg": "RS256", "use": "sig"}])
    command = ["node", str(SCRIPT), str(port), AUDIENCE, SCOPE, keys]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, cwd=packages, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            assert "ready\n" in lines, errors.seek(0) or errors.read()
            yield RealProvider(port)
        finally:
            process.kill()
            process.wait(10)


async def ask(house: House, token: str) -> Call:
    headers = {"Authorization": f"Bearer {token}"}
    return await Call(house, "/look", "GET", headers).answer()


def house(provider: RealProvider, **more: Any) -> House:
    return House(oidc_issuer=provider.url, oidc_audience=AUDIENCE, oidc_scope=SCOPE, **more)


async def test_its_tokens_open_the_server(packages: Path) -> None:
    with running(packages, free_port(), "k1") as provider:
        await asyncio.to_thread(flags._check_issuer, provider.url)
        named = house(provider, oidc_name_claim="client_id", rate_limit="1/minute")
        named.go_on.set()
        tokens = {client: provider.token(client) for client in ("robot", "other")}
        assert jwt.get_unverified_header(tokens["robot"])["typ"] == "at+jwt"
        statuses = [
            (await Call(named, headers={"Authorization": f"Bearer {token}"}).answer()).status
            for token in (tokens["robot"], tokens["robot"], tokens["other"])
        ]
        assert statuses == [200, 429, 200]


async def test_its_other_tokens_do_not(packages: Path) -> None:
    with running(packages, free_port(), "k1") as provider:
        closed = house(provider)
        assert (await ask(closed, provider.token())).status == 200
        assert (await ask(closed, provider.token(scope=""))).status == 403
        assert (await ask(closed, provider.token(resource="urn:other"))).status == 401
        head, body, signature = provider.token().split(".")
        assert (await ask(closed, f"{head}.{body}.{signature[::-1]}")).status == 401


async def test_it_changes_its_key_and_goes_away(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_cache, "PAUSE_SECONDS", 0.1)
    port = free_port()
    with running(packages, port, "k1") as provider:
        open_house = house(provider)
        old = provider.token()
        assert (await ask(open_house, old)).status == 200
    assert (await ask(open_house, old)).status == 200
    with running(packages, port, "k2") as provider:
        new = provider.token()
        await asyncio.sleep(0.2)
        assert (await ask(open_house, new)).status == 200
        assert (await ask(open_house, old)).status == 401
    await asyncio.sleep(0.2)
    assert (await ask(open_house, old)).status == 503
    assert (await ask(open_house, new)).status == 200
