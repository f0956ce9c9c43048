"""The environment of a user's shell: nothing of ours or vLLM's set in it."""

import os

import pytest


@pytest.fixture(scope="session")
def user_environment() -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTION_", "VLLM_"))}
    return inherited | {"VLLM_NO_USAGE_STATS": "1", "TORCHDYNAMO_DISABLE": "1"}
