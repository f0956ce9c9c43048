"""The tokenizer: each piece between special tokens by itself, with a space in front."""

import pytest
from transformers import PreTrainedTokenizerFast

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
