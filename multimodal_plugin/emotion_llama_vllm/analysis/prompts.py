"""Renders the prompt about a clip, and tokenises labels as the model's answers."""

from collections.abc import Mapping
from typing import Any, Literal

from emotion_llama_vllm.analysis.labels import LabelTree

PromptStyle = Literal["eval", "demo"]
"""The chat template's variable: the original's evaluation prompt, or its demo's prompt."""


def one_turn(tokenizer: Any, text: str, style: PromptStyle) -> str:
    """Return the prompt of a first turn about a clip; `<unk>` stands for the clip."""
    content = [{"type": "video"}, {"type": "text", "text": text}]
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, prompt_style=style
    )


def label_tree(tokenizer: Any, labels: Mapping[str, str]) -> LabelTree:
    """Return the token tree of the labels, each as a complete answer of the model.

    Args:
        tokenizer: the checkpoint's tokenizer.
        labels: maps each label to the spelling that is scored.

    Raises:
        FieldError: `LabelTree` rejects the labels.
    """
    texts = dict(labels)
    for special in tokenizer.all_special_tokens:  # the chat template escapes them too
        texts = {k: v.replace(special, f"{special[0]} {special[1:]}") for k, v in texts.items()}
    return LabelTree(
        {
            label: [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
            for label, text in texts.items()
        }
    )
