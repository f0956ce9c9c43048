"""The tokenizer: each piece between special tokens by itself, with a space in front."""

from pathlib import Path
from typing import Any, cast

import pytest
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerFast
from vllm.tokenizers.detokenizer_utils import convert_ids_list_to_tokens

from emotion_llama_vllm import demo_files
from emotion_llama_vllm.analysis.prompts import one_turn
from emotion_llama_vllm.checkpoint.tokenizer import SPECIAL_TOKENS, build_tokenizer


def pieces(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    return list(tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False)))


def test_special_tokens_split_the_text_and_each_piece_gets_a_space(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert pieces(tokenizer, "<s>[INST] a")[0] == "<s>"
    assert "".join(pieces(tokenizer, "<s>[INST] a")) == "<s>\u2581[INST]\u2581a"
    assert "".join(pieces(tokenizer, "<unk></video> x")) == "<unk>\u2581</video>\u2581x"
    assert "".join(pieces(tokenizer, "<s> x")) == "<s>\u2581\u2581x"
    assert pieces(tokenizer, "") == []


@pytest.mark.parametrize("text", ["emoji 🙂", "中文", "\x00\x07", "ﬁ", "a\u2581b"])
def test_no_text_becomes_the_clips_placeholder(
    tokenizer: PreTrainedTokenizerFast, text: str
) -> None:
    assert tokenizer.unk_token_id not in tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("text", ["The person in video says: 你好.  [emotion] x", " a  b ", "🙂"])
def test_decoding_gives_the_text_back(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text


def test_the_beginning_token_is_added_once(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.encode("<s>x")[:2] == [tokenizer.bos_token_id] * 2
    assert tokenizer.encode("x").count(1) == 1


def test_a_vocabulary_without_byte_fallback_is_refused() -> None:
    vocabulary = {token: index for index, token in enumerate((*SPECIAL_TOKENS, "a", "b"))}
    with pytest.raises(ValueError, match="<0x00>"):
        build_tokenizer(vocabulary, [])


ANSWERS = ["happy", "The person smiles.", "two  spaces", "\u60b2\u4f24 \U0001f642", "a [/INST]b"]


@pytest.fixture(params=["fresh", "demo"])
def served(request: pytest.FixtureRequest, checkpoint: Path) -> PreTrainedTokenizerFast:
    """A tokenizer as it is written today, and the demo checkpoint's."""
    folder = checkpoint if request.param == "fresh" else demo_files.checkpoint()
    return PreTrainedTokenizerFast.from_pretrained(folder)


@pytest.mark.parametrize("style", ["eval", "demo"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_behind_its_prompt_begins_without_a_space(
    served: PreTrainedTokenizerFast, style: str, answer: str
) -> None:
    """Decoded piece by piece behind the prompt, as vLLM does."""
    prompt = one_turn(served, "Which emotion?", style)  # type: ignore[arg-type]
    stream = DecodeStream(
        ids=served.encode(prompt, add_special_tokens=False), skip_special_tokens=True
    )
    ids = served.encode(answer, add_special_tokens=False)
    pieces = [stream.step(served.backend_tokenizer, token) for token in ids]
    assert "".join(piece or "" for piece in pieces) == answer


def test_the_tokens_of_log_probabilities_join_to_the_answer(
    served: PreTrainedTokenizerFast,
) -> None:
    answer, tokenizer = "The person in the video smiles.", cast(Any, served)
    ids = served.encode(answer, add_special_tokens=False)
    assert "".join(convert_ids_list_to_tokens(tokenizer, ids)) == f" {answer}"
