"""Converts conversations to token ids, with the served chat template and tokenizer."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from demo.training.examples import Message
from emotion_llama_vllm.checkpoint.folder import chat_template
from emotion_llama_vllm.config import EmotionLlamaConfig


def prompt_ids(
    messages: Sequence[Message],
    style: str,
    tokenizer: PreTrainedTokenizerFast,
    config: EmotionLlamaConfig,
) -> list[int]:
    """Return the prompt's ids, with the clip's id once for each of its embeddings."""
    text = str(
        tokenizer.apply_chat_template(
            list(messages), chat_template=chat_template(), tokenize=False, prompt_style=style
        )
    )
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])  # type: ignore[arg-type]
    clip = ids.index(config.video_token_id)
    return [*ids[:clip], *[config.video_token_id] * config.embeddings_per_clip, *ids[clip + 1 :]]


def answer_ids(answer: str, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Return the ids that the model must generate, with the end token."""
    ids = list(tokenizer(answer, add_special_tokens=False)["input_ids"])  # type: ignore[arg-type]
    return [*ids, tokenizer.convert_tokens_to_ids("</s>")]  # type: ignore[list-item]
