"""Builds a Llama tokenizer that gives the same ids as the original's slow tokenizer.

The slow LlamaTokenizer of transformers 4.30 encodes each piece between special tokens by itself,
with a space in front. The classic `tokenizer.json` (normalizers that prepend and replace, no
pre-tokenizer) does the same as a `PreTrainedTokenizerFast`; today's LlamaTokenizer does not.
"""

from collections.abc import Sequence
from pathlib import Path

import sentencepiece
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import PreTrainedTokenizerFast

from emotion_llama_vllm.checkpoint.tensors import ConversionError

SPECIAL_TOKENS = ("<unk>", "<s>", "</s>")
"""The special tokens in the order of their ids."""
BYTE_TOKENS = tuple(f"<0x{byte:02X}>" for byte in range(256))

_SPACE = "\u2581"
_PROMPT_END = "[/INST]"
"""The end of the chat template's output; the first piece of an answer adds a space after it."""


def build_tokenizer(
    vocabulary: dict[str, int], merges: Sequence[tuple[str, str]]
) -> PreTrainedTokenizerFast:
    """Build the tokenizer of a BPE vocabulary with byte fallback.

    Args:
        vocabulary: maps each piece to its id; it starts with `SPECIAL_TOKENS` and `BYTE_TOKENS`.
        merges: the pairs of pieces that become one piece, best first.

    Raises:
        ValueError: the vocabulary does not start with these tokens. Without byte fallback, a rare
            character would get the id of the clip's placeholder.
    """
    for index, token in enumerate((*SPECIAL_TOKENS, *BYTE_TOKENS)):
        if vocabulary.get(token) != index:
            raise ValueError(f"The tokenizer's id {index} must be {token!r}.")
    unk, bos, eos = SPECIAL_TOKENS
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary,
            merges=list(merges),
            unk_token=unk,
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend(_SPACE), normalizers.Replace(" ", _SPACE)]
    )
    # It changes no ids, because the normalizers have run before. vLLM reads it to know which
    # pieces begin with a space, so that the tokens of log-probabilities join to the answer's words.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(_SPACE, prepend_scheme="never", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, vocabulary[bos])]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(_SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            # vLLM decodes an answer together with its prompt, so Strip does not reach the answer.
            decoders.Replace(f"{_PROMPT_END} ", _PROMPT_END),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=unk,
        bos_token=bos,
        eos_token=eos,
        pad_token=unk,
        clean_up_tokenization_spaces=False,
    )


def read_sentencepiece(file: Path) -> PreTrainedTokenizerFast:
    """Build the tokenizer of a Llama's `tokenizer.model`.

    A merge makes one piece of two others; merges are in the order of their pieces' scores.

    Raises:
        ConversionError: the file is missing, or is another kind of tokenizer.
    """
    model = sentencepiece.SentencePieceProcessor()
    try:
        model.Load(str(file))
    except (OSError, RuntimeError) as error:
        raise ConversionError(
            f"{file} is missing or no sentencepiece model; the Llama's folder must hold it."
        ) from error
    pieces = [model.IdToPiece(index) for index in range(model.GetPieceSize())]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    try:
        return build_tokenizer(vocabulary, _merges(model, vocabulary))
    except ValueError as error:
        raise ConversionError(f"{file}: {error}") from error


def _merges(
    model: sentencepiece.SentencePieceProcessor, vocabulary: dict[str, int]
) -> list[tuple[str, str]]:
    found: list[tuple[float, int, int, tuple[str, str]]] = []
    for piece, index in vocabulary.items():
        if index < len(SPECIAL_TOKENS) + len(BYTE_TOKENS):
            continue
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in vocabulary and right in vocabulary:
                rank = -model.GetScore(index)
                found.append((rank, vocabulary[left], vocabulary[right], (left, right)))
    return [pair for *_, pair in sorted(found)]
