"""Locates the demo's checkpoint, clips and configuration, in the wheel or in the checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent

MODEL_NAME = "emotion-llama-demo"


def _find(name: str) -> Path:
    packaged = _PACKAGE / name
    return packaged if packaged.exists() else _CHECKOUT / name


def checkpoint() -> Path:
    return _find("demo/checkpoint")


def clips() -> Path:
    return _find("demo/clips")


def config() -> Path:
    return _find("configs/demo.yaml")


def configs() -> list[Path]:
    """Return the configurations in the package: the demo's and those of the 7B."""
    return sorted(config().parent.glob("*.yaml"))
