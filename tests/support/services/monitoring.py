"""Reads the dashboard and the alerts of `deploy/monitoring`, and runs a real Prometheus."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from devtools.paths import CHECKOUT
from devtools.server import free_port

FOLDER = CHECKOUT / "deploy/monitoring"
ALERTS = FOLDER / "alerts.yml"
DASHBOARD = FOLDER / "grafana/emotion-llama.json"

_METRIC = re.compile(r"\b(?:emotion_llama_|vllm:)\w+")


def alerts() -> list[Mapping[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[Mapping[str, Any]]:
    """Return the dashboard's panels."""
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def queries() -> Sequence[str]:
    """Return all queries of the panels, with their variables as Grafana fills them in."""
    targets = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [expr.replace("$instance", ".*").replace("$__rate_interval", "1m") for expr in targets]


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics in a query, without what a histogram appends."""
    return {re.sub(r"_(?:bucket|count|sum)$", "", name) for name in _METRIC.findall(expression)}


def require(tool: str) -> str:
    """Return the path of one of Prometheus's programs, or skip the test."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed (Debian: apt-get install prometheus)")
    return path


@dataclass(frozen=True)
class Prometheus:
    """Holds the address of a running Prometheus."""

    url: str

    def ask(self, query: str) -> list[Mapping[str, Any]]:
        """Return the series of a query's result.

        Raises:
            AssertionError: Prometheus refuses the query.
        """
        answer = requests.get(f"{self.url}/api/v1/query", {"query": query}, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/api/v1/{path}", timeout=10).json()["data"]


@contextmanager
def running_prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus with our alerts, reading a server's metrics each second.

    Args:
        target: the server's host:port.
        folder: a folder for its configuration and data.
    """
    port = free_port()
    scraping = {"job_name": "emotion-llama", "static_configs": [{"targets": [target]}]}
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [scraping],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    command = [
        require("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)
