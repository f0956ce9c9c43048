"""What the documents promise is kept by tests that exist, and they know every flag."""

import re

import pytest

from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.settings import MediaSettings
from tests.support.paths import CHECKOUT

DOCUMENTS = ["README.md", "README.zh.md", "SECURITY.md", "SECURITY.zh.md", "CONTRIBUTING.md"]
OPERATION = ["docs/en/operation.md", "docs/zh/operation.md"]
NOT_FLAGS = {"api_keys"}


def named_tests(document: str) -> list[str]:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    return re.findall(r"`(tests/[\w/.]+\.py(?:::\w+)?)`", text)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_test_that_is_named_is_there(document: str) -> None:
    named = named_tests(document)
    assert named
    for name in named:
        path, _, function = name.partition("::")
        text = (CHECKOUT / path).read_text(encoding="utf-8")
        assert not function or re.search(rf"(?:def|class) {function}\b", text), name


@pytest.mark.parametrize("name", ["README", "SECURITY"])
def test_both_languages_name_the_same_tests(name: str) -> None:
    assert named_tests(f"{name}.md") == named_tests(f"{name}.zh.md")


@pytest.mark.parametrize("document", OPERATION)
def test_each_flag_is_described_with_its_default(document: str) -> None:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    for kind in (ServerSettings, MediaSettings):
        for name in kind.model_fields.keys() - NOT_FLAGS:
            assert f"`--{name.replace('_', '-')}" in text, name
