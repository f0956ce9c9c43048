"""What must stay light: a client and a decode worker load neither vLLM nor torch."""

import os
import subprocess
import sys

import pytest

_ENGINE = ("vllm", "torch", "transformers")
_IMPORT_ALL = """
import importlib, pkgutil, sys
light, heavy = (words.split(",") for words in sys.argv[1:])
for name in light:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), name + "."):
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}.intersection(heavy)))
"""


def loaded(light: tuple[str, ...], heavy: tuple[str, ...]) -> list[str]:
    """Return which heavy packages the import of light modules, and of all in them, loads."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _IMPORT_ALL, ",".join(light), ",".join(heavy)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("package", ["emotion_llama", "emotion_llama_vllm.media"])
@pytest.mark.costly
def test_no_module_of_a_light_package_loads_a_heavy_one(package: str) -> None:
    assert loaded((package,), (*_ENGINE, "fastapi")) == []


def test_neither_names_nor_checks_of_requests_load_the_engine() -> None:
    plugin = ("errors", "logger", "original", "settings", "analysis.questions", "analysis.prompts")
    server = ("logger", "settings", "strict_json", "chat.clip", "chat.tools", "emotion.request")
    light = (
        *(f"emotion_llama_vllm.{name}" for name in plugin),
        *(f"emotion_llama_server.{name}" for name in server),
    )
    assert loaded(light, _ENGINE) == []


def test_a_run_of_light_tests_does_not_load_the_engine() -> None:
    light = ("tests.conftest", "tests.unit.conftest", "tests.unit.client.conftest")
    assert loaded(light, _ENGINE) == []


@pytest.mark.slow
def test_the_commands_about_checkpoints_load_no_vllm() -> None:
    """It costs seconds at each call, and a checkpoint can be converted without it."""
    light = ("emotion_llama_vllm.checkpoint", "emotion_llama_server.checkpoint_commands")
    assert loaded(light, ("torch", "vllm")) == ["torch"]
