"""Examines a checkpoint folder and the machine that is to serve it, and suggests cures."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedTokenizerFast

from emotion_llama_vllm import ARCHITECTURE
from emotion_llama_vllm.checkpoint.folder import chat_template
from emotion_llama_vllm.checkpoint.layout import (
    Shape,
    is_linear,
    kept_dtype,
    tensor_shapes,
)
from emotion_llama_vllm.checkpoint.manifest import FILE_NAME, Manifest, sha256
from emotion_llama_vllm.checkpoint.tokenizer import SPECIAL_TOKENS
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks.cpu_defaults import weight_bytes
from emotion_llama_vllm.media.decode.npz import AUDIO_ROW, FEATURE_NAMES
from emotion_llama_vllm.memory import read_memory

CPU_HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 256)
"""The head sizes that the attention of vLLM's CPU backend supports."""

_AGAIN = "convert the original files again"
_OVERHEAD_GIB = 3.0
"""The memory in GiB that the engine needs beside the weights, with a small attention cache."""
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_RARE = "\U0001f600\u4e2d\x01"


@dataclass(frozen=True)
class Finding:
    """Describes one check in one sentence; a failed check also gives the cure."""

    ok: bool
    subject: str
    words: str


_Found = dict[str, tuple[Shape, torch.dtype | None]]
"""Maps the names of tensors to their shapes and dtypes."""
_Examination = Callable[[Path, EmotionLlamaConfig], Iterator[Finding]]


def examine_checkpoint(folder: Path) -> list[Finding]:
    """Examine the folder's files, tensors, sizes and tokenizer."""
    return _examine(
        folder,
        _examine_hashes,
        _examine_sizes,
        _examine_rows,
        _examine_tensors,
        _examine_tokenizer,
        _examine_prompts,
    )


def examine_weights(folder: Path) -> list[Finding]:
    """Examine only what would stop the engine half-way through its start, which takes a moment."""
    return _examine(folder, _examine_sizes, _examine_tensors)


def _examine(folder: Path, *examinations: _Examination) -> list[Finding]:
    if not folder.is_dir():
        return [Finding(False, "folder", f"{folder} is no folder; name a converted checkpoint.")]
    try:
        config = EmotionLlamaConfig.from_pretrained(folder)
        written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        words = f"config.json is missing or unreadable ({type(error).__name__}); {_AGAIN}."
        return [Finding(False, "config", words)]
    if written.get("architectures") != [ARCHITECTURE]:
        words = "config.json is of another model; name a checkpoint made by emotion-llama convert."
        return [Finding(False, "config", words)]
    return [finding for examine in examinations for finding in examine(folder, config)]


def examine_machine(
    folder: Path | None, *, engine: str | None, foreign: Sequence[str]
) -> list[Finding]:
    """Examine the installed packages and the memory.

    Args:
        folder: the checkpoint to serve, if any.
        engine: the version of the installed vLLM; None if no suitable one is installed.
        foreign: the installed packages that do not fit PyTorch.
    """
    missing = "vLLM 0.32 is not installed; install emotion-llama[cpu] or emotion-llama[gpu]."
    findings = [Finding(engine is not None, "engine", f"{engine}." if engine else missing)]
    mend = f"; run `{sys.executable} -m emotion_llama_server.environment --mend`."
    findings += [Finding(False, "companion", what.rstrip(".") + mend) for what in foreign]
    if folder is not None and folder.is_dir():
        weights = weight_bytes(folder) / 2**30
        findings.append(_examine_memory(weights + _OVERHEAD_GIB))
    return findings


def _examine_memory(need_gib: float) -> Finding:
    if torch.cuda.is_available():
        free_gib, where = torch.cuda.mem_get_info()[0] / 2**30, "on the GPU"
    else:
        free_gib, where = read_memory().free / 2**30, "in the machine or its container"
    words = f"about {need_gib:.1f} GiB are needed and {free_gib:.1f} GiB are free {where}"
    if free_gib >= need_gib:
        return Finding(True, "memory", f"{words}.")
    return Finding(False, "memory", f"{words}; end other programs or take a larger machine.")


def _examine_hashes(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    try:
        manifest = Manifest.model_validate_json((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        words = (
            f"{FILE_NAME} is missing or unreadable, so nothing tells what was changed; {_AGAIN}."
        )
        yield Finding(False, "manifest", words)
        return
    changed = [
        name
        for name, digest in manifest.files.items()
        if not (folder / name).is_file() or sha256(folder / name) != digest
    ]
    for name in changed:
        state = "differs from what was written" if (folder / name).is_file() else "is missing"
        yield Finding(False, "hash", f"{name} {state}; {_AGAIN}, or fetch it again.")
    if not changed:
        words = f"all {len(manifest.files)} files are as {manifest.made_by} wrote them."
        yield Finding(True, "hashes", words)


def _examine_sizes(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    patches, group = config.vision.num_patches, config.patches_per_embedding
    if patches % group or config.vision.hidden_size % config.vision.num_attention_heads:
        words = f"{patches} patches or the heads do not divide evenly; mend eva_config.json, then "
        yield Finding(False, "vision", f"{words}{_AGAIN}.")
    else:
        yield Finding(True, "clip", f"{config.embeddings_per_clip} embeddings per clip.")
    head = config.text.hidden_size // config.text.num_attention_heads
    if head in CPU_HEAD_SIZES or torch.cuda.is_available():
        yield Finding(True, "attention", f"the Llama's heads of {head} suit this backend.")
    else:
        words = f"the Llama's heads are {head} wide, which vLLM's CPU backend does not take"
        yield Finding(False, "attention", f"{words}; serve this checkpoint on a GPU.")


def _examine_rows(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    computed = [FEATURE_NAMES[row] for row in config.face_rows]
    zero = [name for name in FEATURE_NAMES[:AUDIO_ROW] if name not in computed]
    words = "audio is computed from the sound"
    words += f", {' and '.join(computed)} from face crops" if computed else ""
    words += f"; {' and '.join(zero)} are zeros where a request does not give them" if zero else ""
    yield Finding(True, "features", f"{words}.")


def _examine_tensors(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    found: _Found = {}
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        words = "there is no *.safetensors; other formats can run code and are not loaded"
        yield Finding(False, "weights", f"{words}: {_AGAIN}.")
        return
    try:
        for file in files:
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118  (safe_open gives no mapping)
                    part = tensors.get_slice(name)
                    found[name] = (tuple(part.get_shape()), _DTYPES.get(part.get_dtype()))
    except (SafetensorError, OSError):
        yield Finding(False, "weights", f"a file of weights is damaged or a pickle; {_AGAIN}.")
        return
    expected, count = tensor_shapes(config), len(found)
    wrong = _take_quantized(expected, found, config)
    wrong += [_wrong(name, shape, found, config) for name, shape in expected.items()]
    wrong += [f"{name} is unknown" for name in sorted(found.keys() - expected.keys())]
    problems = [problem for problem in wrong if problem]
    if problems:
        more = f" ({len(problems)} such)" if len(problems) > 1 else ""
        yield Finding(False, "weights", f"{problems[0]}{more}; {_AGAIN}.")
    else:
        yield Finding(True, "weights", f"all {count} tensors are there, as they should be.")


def _take_quantized(
    expected: dict[str, Shape], found: _Found, config: EmotionLlamaConfig
) -> list[str | None]:
    """Take the quantized layers out of both, and return the names of missing ones.

    Each format has other tensors in place of a weight.
    """
    if not config.is_quantized:
        return []
    layers = {name.removesuffix(".weight") for name in expected if is_linear(name)}
    tensors = [name for name in found if name.rpartition(".")[0] in layers]
    missing = layers - {name.rpartition(".")[0] for name in tensors}
    for name in tensors:
        del found[name]
    for layer in layers:
        del expected[f"{layer}.weight"]
    return [f"{layer} is missing" for layer in sorted(missing)]


def _wrong(
    name: str,
    shape: Shape,
    found: _Found,
    config: EmotionLlamaConfig,
) -> str | None:
    """Return the problem with a tensor, or None if there is none."""
    if name not in found:
        return f"{name} is missing"
    given, dtype = found[name]
    if given != shape:
        return f"{name} is {list(given)} and not {list(shape)}"
    expected = kept_dtype(name, cast(torch.dtype, config.dtype))
    return None if dtype == expected else f"{name} is {dtype} and not {expected}"


def _examine_tokenizer(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        ids = [tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS]
        rare = tokenizer.encode(_RARE, add_special_tokens=False)
    except Exception as error:
        words = f"the tokenizer cannot be loaded ({type(error).__name__}); {_AGAIN}."
        yield Finding(False, "tokenizer", words)
        return
    if len(tokenizer) != config.text.vocab_size:
        rows = f"the Llama's embedding has {config.text.vocab_size} rows"
        words = f"it has {len(tokenizer)} tokens, but {rows}"
        yield Finding(False, "tokenizer", f"{words}; {_AGAIN}.")
    elif ids != [0, 1, 2] or config.video_token_id != 0 or 0 in rare:
        words = "its special tokens or its byte fallback are not Llama's, so text could pass for a"
        yield Finding(False, "tokenizer", f"{words} clip; {_AGAIN}.")
    else:
        words = f"{len(tokenizer)} tokens, as many as the Llama's embedding has rows."
        yield Finding(True, "tokenizer", words)


def _examine_prompts(folder: Path, config: EmotionLlamaConfig) -> Iterator[Finding]:
    template = folder / "chat_template.jinja"
    if template.is_file() and template.read_text(encoding="utf-8") == chat_template():
        yield Finding(True, "prompts", "the chat template is this release's.")
    else:
        words = "chat_template.jinja is not this release's, so prompts may differ from the original"
        yield Finding(False, "prompts", f"{words}; {_AGAIN}.")
    if not (folder / "generation_config.json").is_file():
        yield Finding(False, "sampling", f"generation_config.json is missing; {_AGAIN}.")
