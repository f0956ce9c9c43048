"""The services of deploy/compose.yaml, as Docker Compose understands the file."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools.paths import CHECKOUT
from emotion_llama import __version__

DEPLOY = CHECKOUT / "deploy"
COMPOSE = Path(sys.executable).parent / "docker-compose"
NEEDED = {
    "SITE": "emotion.example",
    "WEIGHTS": "/srv/weights",
    "KEYS": "/srv/keys",
    "PROMETHEUS_KEY": "/srv/prometheus.key",
    "GRAFANA_PASSWORD": "replace-this",
}


@cache
def compose(*files: str) -> dict[str, Any]:
    """Return the whole configuration that these files of deploy/ make."""
    options = [word for file in files for word in ("--file", str(DEPLOY / file))]
    done = subprocess.run(
        [COMPOSE, *options, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | NEEDED,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def services() -> dict[str, Any]:
    return compose("compose.yaml")["services"]


def test_each_service_is_confined() -> None:
    for service in services().values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert [name for name, service in services().items() if "cap_add" in service] == ["proxy"]


def test_the_server_is_reached_through_the_proxy_alone() -> None:
    assert {name for name, service in services().items() if "ports" in service} == {
        "proxy",
        "grafana",
    }
    (grafana,) = services()["grafana"]["ports"]
    assert grafana["host_ip"] == "127.0.0.1"
    (network,) = compose("compose.yaml")["networks"].values()
    (inside,) = network["ipam"]["config"]
    assert f"--trusted-proxy={inside['subnet']}" in services()["server"]["command"]


def test_each_file_that_is_mounted_is_there() -> None:
    ours = [
        Path(volume["source"])
        for service in services().values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind" and volume["source"] != NEEDED["WEIGHTS"]
    ]
    assert len(ours) == 4
    assert all(path.exists() for path in ours)


def test_the_second_file_takes_the_gpu_away() -> None:
    server = compose("compose.yaml", "compose.cpu.yaml")["services"]["server"]
    assert not server.get("deploy")
    assert server["image"] == f"emotion-llama:{__version__}-cpu"
    gpu = services()["server"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"]
    assert gpu["image"] == f"emotion-llama:{__version__}-gpu"


def test_a_file_more_keeps_files_and_batches_in_a_volume() -> None:
    made = compose("compose.yaml", "compose.data.yaml")
    server = made["services"]["server"]
    (volume,) = [volume for volume in server["volumes"] if volume["type"] == "volume"]
    assert volume["source"] in made["volumes"]
    assert not volume.get("read_only")
    assert server["environment"]["EMOTION_LLAMA_DATA_DIR"].startswith(f"{volume['target']}/")
    assert f"--mode 1777 {volume['target']}\n" in (DEPLOY / "docker/Dockerfile").read_text()
    assert not services()["server"].get("environment")


def test_the_proxy_and_prometheus_ask_the_server_where_it_listens() -> None:
    proxy = services()["proxy"]["environment"]
    example = (DEPLOY / "proxies/Caddyfile").read_text()
    assert set(proxy) == set(re.findall(r"\{\$(\w+):", example))
    prometheus = yaml.safe_load((DEPLOY / "monitoring/prometheus.yml").read_text())
    (scrape,) = prometheus["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": [proxy["UPSTREAM"]]}]
    secret = services()["prometheus"]["secrets"][0]["source"]
    assert scrape["authorization"]["credentials_file"] == f"/run/secrets/{secret}"


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed.")
def test_caddy_takes_the_host_and_the_server_from_its_environment() -> None:
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", DEPLOY / "proxies/Caddyfile"]
    proxy = services()["proxy"]["environment"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | proxy
    )
    assert f'"host":["{NEEDED["SITE"]}"]' in done.stdout
    assert f'"dial":"{proxy["UPSTREAM"]}"' in done.stdout


def test_grafana_finds_its_prometheus_and_its_dashboards() -> None:
    folder = DEPLOY / "monitoring/grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (boards,) = yaml.safe_load((folder / "dashboards/folder.yaml").read_text())["providers"]
    mounted = {volume["target"] for volume in services()["grafana"]["volumes"]}
    assert {boards["options"]["path"], "/etc/grafana/provisioning"} <= mounted
