"""Renders the Helm chart as `helm template` does, without a cluster."""

from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

from devtools.paths import CHECKOUT

CHART = CHECKOUT / "deploy/helm/emotion-llama"
EXAMPLES = {path.stem: path for path in sorted((CHART / "examples").glob("*.yaml"))}
DEFAULT = "default"
"""The name of the chart's own values, beside those of the examples."""

Manifest = dict[str, Any]


@cache
def _chart() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def render(values: dict[str, Any]) -> list[Manifest]:
    """Return the manifests of these values.

    Raises:
        helm_python.HelmError: the values or the templates refuse them.
    """
    rendered = _chart().render(values, name="emotion-llama", namespace="emotion")
    texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]


def values_of(name: str) -> dict[str, Any]:
    """Return the values of an example; none for the chart's own."""
    path: Path | None = EXAMPLES.get(name)
    return {} if path is None else yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def rendered(name: str) -> list[Manifest]:
    """Return the manifests of an example, or of the chart's own values."""
    return render(values_of(name))


def only(kind: str, manifests: list[Manifest]) -> Manifest:
    """Return the one manifest of a kind."""
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def server_pod(manifests: list[Manifest]) -> dict[str, Any]:
    """Return the specification of the server's pods."""
    return only("Deployment", manifests)["spec"]["template"]["spec"]


def server_flags(manifests: list[Manifest]) -> list[str]:
    """Return the arguments of the server's container."""
    return server_pod(manifests)["containers"][0]["args"]
