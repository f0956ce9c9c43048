"""Where the demo's checkpoint, clips and configuration are: in the wheel, or in the checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent

MODEL_NAME = "emotion-llama-demo"


def _find(in_wheel: str, in_checkout: str) -> Path:
    packaged = _PACKAGE / in_wheel
    return packaged if packaged.exists() else _CHECKOUT / in_checkout


def checkpoint() -> Path:
    return _find("demo_files/checkpoint", "demo/checkpoint")


def clips() -> Path:
    return _find("demo_files/clips", "demo/clips")


def config() -> Path:
    return _find("configs/demo.yaml", "configs/demo.yaml")
