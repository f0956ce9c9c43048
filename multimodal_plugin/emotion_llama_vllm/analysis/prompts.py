"""Texts as the served model gets them: its prompt about a clip, and labels as its answers."""

from collections.abc import Mapping
from typing import Any, Literal

from emotion_llama_vllm.analysis.labels import LabelTree

PromptStyle = Literal["eval", "demo"]
"""The chat template's variable: the original's evaluation prompt, or its demo's."""


def one_turn(tokenizer: Any, text: str, style: PromptStyle) -> str:
    """The prompt of a first turn about a clip, for which `<unk>` stands."""
    content = [{"type": "video"}, {"type": "text", "text": text}]
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, prompt_style=style
    )


def label_tree(tokenizer: Any, labels: Mapping[str, str]) -> LabelTree:
    """Return the tree of the labels as the model would say them, each to the end of its answer.

    Args:
        tokenizer: the checkpoint's.
        labels: label to the spelling that is scored.

    Raises:
        VLLMValidationError: as LabelTree.
    """
    texts = dict(labels)
    for special in tokenizer.all_special_tokens:  # made harmless as the chat template does
        texts = {k: v.replace(special, f"{special[0]} {special[1:]}") for k, v in texts.items()}
    return LabelTree(
        {
            label: [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
            for label, text in texts.items()
        }
    )
