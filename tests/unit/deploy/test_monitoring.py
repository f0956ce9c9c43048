"""The alerts and the dashboard name metrics that exist, and each alert has a page and a fault."""

import importlib.util
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from devtools.paths import CHECKOUT
from emotion_llama_vllm import metrics
from tests.support.services.monitoring import (
    ALERTS,
    DASHBOARD,
    FOLDER,
    alerts,
    metrics_in,
    panels,
    queries,
    require,
)

NAMES = [rule["alert"] for rule in alerts()]
EXPRESSIONS = [*queries(), *(rule["expr"] for rule in alerts())]
RUNBOOKS = ["docs/en/runbook.md", "docs/zh/runbook.md"]
OPERATION = ["docs/en/operation.md", "docs/zh/operation.md"]

_A = 'instance="a"'
_RESTARTS = "emotion_llama_decode_worker_restarts_total"
_STALLS = "emotion_llama_event_loop_stall_seconds_bucket"
_QUEUE = "emotion_llama_queue_seconds_bucket"

WELL: Mapping[str, str] = {
    f'up{{job="emotion-llama",{_A}}}': "1x30",
    f'emotion_llama_requests_total{{{_A},status="200"}}': "0+60x30",
    f'emotion_llama_requests_total{{{_A},status="500"}}': "0+1x30",
    f'emotion_llama_refusals_total{{{_A},reason="overload"}}': "0x30",
    f'emotion_llama_refusals_total{{{_A},reason="rate"}}': "0+60x30",
    f'emotion_llama_refusals_total{{{_A},reason="deadline"}}': "0x30",
    f'{_QUEUE}{{{_A},le="1"}}': "0+60x30",
    f'{_QUEUE}{{{_A},le="10"}}': "0+60x30",
    f'{_QUEUE}{{{_A},le="+Inf"}}': "0+60x30",
    f"emotion_llama_decodes_waiting{{{_A}}}": "4 0 4 0 4 0 4 0 4 0 4 0 4 0 4 0 4 0 4 0",
    f'{_RESTARTS}{{{_A},cause="cancelled"}}': "0+9x30",
    f'{_RESTARTS}{{{_A},cause="killed"}}': "0x30",
    f'{_STALLS}{{{_A},le="0.1"}}': "0+3000x30",
    f'{_STALLS}{{{_A},le="1"}}': "0+3000x30",
    f'{_STALLS}{{{_A},le="+Inf"}}': "0+3000x30",
    f"vllm:num_requests_running{{{_A}}}": "4x30",
    f"vllm:generation_tokens_total{{{_A}}}": "0+600x30",
    f"vllm:kv_cache_usage_perc{{{_A}}}": "0.5 0.99x8 0.5x20",
    f"emotion_llama_rate_limit_storage_up{{{_A}}}": "1x30",
    f"emotion_llama_oidc_issuer_up{{{_A}}}": "1x30",
}
"""Half an hour of a busy server that is well, a value for each minute in promtool's notation."""

FAULTS: Mapping[str, tuple[str, str]] = {
    "EmotionLlamaDown": ("up", "0x30"),
    "EmotionLlamaErrors": ('status="500"', "0+3x30"),
    "EmotionLlamaEngineStuck": ("vllm:generation_tokens_total", "700x30"),
    "EmotionLlamaOverload": ('reason="overload"', "0+1x30"),
    "EmotionLlamaDeadlines": ('reason="deadline"', "0+1x30"),
    "EmotionLlamaQueueLong": (f'{_QUEUE}{{{_A},le="1"', "0+50x30"),
    "EmotionLlamaDecodeQueue": ("emotion_llama_decodes_waiting", "4x30"),
    "EmotionLlamaDecodeWorkersDie": ('cause="killed"', "0+1x30"),
    "EmotionLlamaEventLoopStalls": (f'{_STALLS}{{{_A},le="0.1"', "0+2900x30"),
    "EmotionLlamaCacheFull": ("vllm:kv_cache_usage_perc", "0.99x30"),
    "EmotionLlamaRateLimitStorageDown": ("emotion_llama_rate_limit_storage_up", "0x30"),
    "EmotionLlamaIssuerDown": ("emotion_llama_oidc_issuer_up", "0x30"),
}
"""What each alert is for: the one series that differs, and its values."""


def known_metrics() -> set[str]:
    """Return the metrics of this project, and those that vLLM's source defines."""
    spec = importlib.util.find_spec("vllm.v1.metrics.loggers")
    assert spec is not None
    assert spec.origin is not None
    theirs = set(re.findall(r'"(vllm:\w+)"', Path(spec.origin).read_text(encoding="utf-8")))
    ours = {family.name for family in REGISTRY.collect()}
    assert metrics.requests
    return {name.removesuffix("_total") for name in theirs} | ours


def test_each_metric_of_the_alerts_and_the_dashboard_exists() -> None:
    known = known_metrics()
    for expression in EXPRESSIONS:
        named = metrics_in(expression)
        assert {name.removesuffix("_total") for name in named} <= known, expression


def test_each_metric_of_ours_is_described_in_both_languages() -> None:
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("emotion_llama")}
    for page in OPERATION:
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        told = {name.removesuffix("_total") for name in re.findall(r"`(emotion_llama_\w+)", text)}
        assert ours == told & ours, page


@pytest.mark.parametrize("page", RUNBOOKS)
def test_each_alert_has_a_section_in_the_runbook_and_each_section_an_alert(page: str) -> None:
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    assert re.findall(r"^## (EmotionLlama\w+)$", text, re.MULTILINE) == NAMES


def test_the_dashboard_fits_on_one_screen_without_overlaps() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) == 23
    assert max(y for _, y in taken) < 28


def test_grafana_finds_the_dashboard_and_prometheus_the_alerts() -> None:
    folder = yaml.safe_load(
        (FOLDER / "grafana/provisioning/dashboards/folder.yaml").read_text(encoding="utf-8")
    )
    assert folder["providers"][0]["options"]["path"] == "/etc/grafana/dashboards"
    assert DASHBOARD.parent == FOLDER / "grafana"
    scraping = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    assert scraping["rule_files"] == [ALERTS.name]
    assert DASHBOARD.is_file()


def test_promtool_accepts_the_files() -> None:
    promtool = require("promtool")
    subprocess.run([promtool, "check", "rules", "--lint-fatal", ALERTS], check=True)
    config = FOLDER / "prometheus.yml"
    subprocess.run([promtool, "check", "config", "--syntax-only", config], check=True)


def fires(series: Mapping[str, str], folder: Path, *expected: str) -> bool:
    """Return whether exactly these alerts fire after 18 minutes of these series."""
    watched = {
        "expr": 'sum by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "18m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected],
    }
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    case = {"interval": "1m", "input_series": inputs, "promql_expr_test": [watched]}
    program = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}
    (folder / "case.yml").write_text(yaml.safe_dump(program))
    command = [require("promtool"), "test", "rules", folder / "case.yml"]
    done = subprocess.run(command, capture_output=True, text=True)
    print(done.stdout, done.stderr)
    return done.returncode == 0


def test_no_alert_fires_while_all_is_well(tmp_path: Path) -> None:
    assert fires(WELL, tmp_path)


def test_each_alert_has_a_fault() -> None:
    assert list(FAULTS) == NAMES


@pytest.mark.parametrize("alert", FAULTS)
@pytest.mark.costly
def test_each_fault_fires_its_alert_alone(alert: str, tmp_path: Path) -> None:
    part, values = FAULTS[alert]
    (changed,) = [name for name in WELL if part in name and (part != "up" or "up{" in name[:3])]
    assert fires({**WELL, changed: values}, tmp_path, alert)
