"""Makes a tiny Whisper with random weights, and serves it by vLLM's own server."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from devtools.server import answers, free_port, running

END = "<|endoftext|>"
_TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")


def make_whisper(folder: Path) -> Path:
    """Write a Whisper of one layer and 64 dimensions, whose tokens are bytes."""
    torch.manual_seed(0)
    tokens = _write_tokenizer(folder)
    config = WhisperConfig(
        vocab_size=len(tokens),
        d_model=64,
        encoder_layers=1,
        encoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=64,
        decoder_start_token_id=tokens["<|startoftranscript|>"],
        bos_token_id=tokens[END],
        eos_token_id=tokens[END],
        pad_token_id=tokens[END],
        begin_suppress_tokens=[],
    )
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path) -> dict[str, int]:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({char: n for n, char in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = ("startoftranscript", *LANGUAGES, *_TASKS)
    tokenizer.add_special_tokens([END, *(f"<|{name}|>" for name in names)])
    tokenizer.add_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)])
    made = WhisperTokenizer(
        tokenizer_object=tokenizer, unk_token=END, bos_token=END, eos_token=END, pad_token=END
    )
    made.save_pretrained(folder)
    return tokenizer.get_vocab()


@contextlib.contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """Run vLLM's server with a checkpoint as `whisper-1` inside the block, at the yielded URL."""
    port = free_port()
    flags = ["--model", str(folder), "--port", str(port), "--served-model-name", "whisper-1"]
    limits = ["--enforce-eager", "--dtype", "float32", "--max-model-len", "448"]
    variables = {"VLLM_PLUGINS": "", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *flags, *limits]
    url = f"http://127.0.0.1:{port}"
    with running(command, log, lambda: answers(f"{url}/health"), variables):
        yield f"{url}/v1"
