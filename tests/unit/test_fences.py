"""Packages that must stay light: a client and a decode worker load neither vLLM nor torch."""

import os
import subprocess
import sys

import pytest

_HEAVY = ("vllm", "torch", "transformers", "fastapi")
_IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}.intersection(sys.argv[2:])))
"""


@pytest.mark.parametrize("package", ["emotion_llama", "emotion_llama_vllm.media"])
def test_no_module_of_a_light_package_loads_a_heavy_one(package: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, package, *_HEAVY],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
