"""Token ids of every text segment, as the original's slow tokenizer and prompt code made them."""

from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from tests.support.golden.original import CASES, TYPED_SPECIALS, Case, read_json


def our_ids(tokenizer: PreTrainedTokenizerFast, case: Case, run: str) -> list[int]:
    messages = case.messages(run, {"type": "video"})
    prompt: Any = tokenizer.apply_chat_template(messages, tokenize=False, prompt_style=case.style)
    return tokenizer.encode(prompt, add_special_tokens=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_segment_has_the_originals_ids(
    golden_tokenizer: PreTrainedTokenizerFast, case: Case
) -> None:
    for run in case.runs:
        theirs = case.prompt_ids(run, clip=0, count=1)
        ours = our_ids(golden_tokenizer, case, run)
        if case.name == TYPED_SPECIALS:
            assert ours != theirs  # a user's special tokens stay harmless here
            assert ours[:12] == theirs[:12]
        else:
            assert ours == theirs


@pytest.mark.parametrize("index", range(len(read_json("tokenizer_golden.json"))))
def test_the_tokenizer_alone(golden_tokenizer: PreTrainedTokenizerFast, index: int) -> None:
    golden = read_json("tokenizer_golden.json")[index]
    text = golden["text"]
    assert golden_tokenizer.encode(text, add_special_tokens=False) == golden["ids_no_special"]
    assert golden_tokenizer.encode(text) == golden["ids_special"]
