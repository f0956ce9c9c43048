"""What the documents promise is kept by tests that exist, and they know every flag."""

import re

import pytest

from devtools.paths import CHECKOUT
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.settings import MediaSettings

PAIRS = {
    "docs/en/promises.md": "docs/zh/promises.md",
    "SECURITY.md": "SECURITY.zh.md",
}
DOCUMENTS = [*PAIRS, *PAIRS.values(), "CONTRIBUTING.md"]
CONFIGURATION = ["docs/en/configuration.md", "docs/zh/configuration.md"]
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


@pytest.mark.parametrize("english", PAIRS)
def test_both_languages_name_the_same_tests(english: str) -> None:
    assert named_tests(english) == named_tests(PAIRS[english])


@pytest.mark.parametrize("document", CONFIGURATION)
def test_each_flag_is_described_with_its_default(document: str) -> None:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    for kind in (ServerSettings, MediaSettings):
        for name in kind.model_fields.keys() - NOT_FLAGS:
            assert f"`--{name.replace('_', '-')}" in text, name
