"""Lets a test read vLLM's log and ours."""

import logging

import pytest


def hear_vllm(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass the lines of vLLM's logger and of ours on to pytest until the test ends.

    vLLM passes nothing on, and one of its dependencies sets the root logger's level to ERROR.
    """
    monkeypatch.setattr(logging.getLogger("vllm"), "propagate", True)
    if logging.getLogger("vllm").getEffectiveLevel() > logging.INFO:
        caplog.set_level(logging.INFO, "vllm")
