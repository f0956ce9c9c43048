"""Reads what describes a checkpoint folder, and writes it completely or not at all."""

import errno
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from transformers import GenerationConfig, PreTrainedTokenizerFast

from emotion_llama_vllm import ARCHITECTURE, VIDEO_PROCESSOR_TYPE, original
from emotion_llama_vllm.checkpoint import card as cards
from emotion_llama_vllm.checkpoint.manifest import FILE_NAME, Manifest
from emotion_llama_vllm.checkpoint.tensors import ConversionError, read_json
from emotion_llama_vllm.config import EmotionLlamaConfig

INDEX = "model.safetensors.index.json"
_SHARD_BYTES = 2 << 30


def read_folder(folder: Path) -> tuple[EmotionLlamaConfig, Manifest]:
    """Read the configuration and the manifest of a checkpoint.

    Raises:
        ConversionError: the folder is no checkpoint made by `convert`, or a file is unreadable.
    """
    written = read_json(folder / "config.json", "CHECKPOINT")
    if written.get("architectures") != [ARCHITECTURE]:
        raise ConversionError(
            f"{folder} is no checkpoint made by emotion-llama convert: its config.json says "
            f"{written.get('architectures')}."
        )
    try:
        config = EmotionLlamaConfig.from_pretrained(folder)
        manifest = Manifest.model_validate_json((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        raise ConversionError(
            f"{folder}: config.json or {FILE_NAME} is unreadable; convert the original files again."
        ) from error
    return config, manifest


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `out` if the block succeeds and is deleted if it fails.

    Raises:
        ConversionError: `out` exists already, or the disk is full.
    """
    if out.exists():
        raise ConversionError(f"--out {out} exists already; name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield partial
        partial.chmod(0o755)
        partial.rename(out)
    except (OSError, SafetensorError) as error:
        raise _told_if_full(error, out.parent) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def replaced_files(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files move into `folder` if the block succeeds.

    Each file moves at once. The configuration moves last, so that a folder stays as it was for who
    reads the configuration while the others move.

    Raises:
        ConversionError: the disk is full.
    """
    partial = Path(tempfile.mkdtemp(prefix=".new.", dir=folder))
    try:
        yield partial
        for file in sorted(partial.iterdir(), key=lambda file: file.name == "config.json"):
            file.replace(folder / file.name)
    except (OSError, SafetensorError) as error:
        raise _told_if_full(error, folder) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _told_if_full(error: Exception, place: Path) -> Exception:
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return ConversionError(f"the disk of {place} is full; nothing was left behind.")
    return error


def write_files(
    folder: Path,
    config: EmotionLlamaConfig,
    tokenizer: PreTrainedTokenizerFast,
    card: cards.Card,
) -> None:
    """Write all files except the weights and the manifest."""
    config.architectures = [ARCHITECTURE]
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    generation_config(config).save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(chat_template(), encoding="utf-8")
    _write_json(folder / cards.FILE_NAME, card.model_dump())
    # This name selects our video loader in vLLM.
    preprocessor = {"video_processor_type": VIDEO_PROCESSOR_TYPE, "size": config.vision.image_size}
    _write_json(folder / "preprocessor_config.json", preprocessor)


def write_weights(folder: Path, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write tensors in shards as they arrive, so that only a few are in memory at a time."""
    shards: list[dict[str, int]] = []
    for shard in _shards(tensors):
        # The final name holds the number of shards, which is not known yet.
        file = folder / f"shard-{len(shards)}"
        save_file(shard, file, metadata={"format": "pt"})
        file.chmod(0o644)  # safetensors lets only the owner read it
        shards.append({name: tensor.nbytes for name, tensor in shard.items()})
    if len(shards) == 1:
        (folder / "shard-0").rename(folder / "model.safetensors")
        return
    weight_map: dict[str, str] = {}
    for index, sizes in enumerate(shards):
        name = f"model-{index + 1:05}-of-{len(shards):05}.safetensors"
        (folder / f"shard-{index}").rename(folder / name)
        weight_map |= dict.fromkeys(sizes, name)
    total = sum(sum(sizes.values()) for sizes in shards)
    index_content = {"metadata": {"total_size": total}, "weight_map": weight_map}
    _write_json(folder / INDEX, index_content)


def write_part(folder: Path, name: str, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write the tensors of one part into a file of its own, and into the index if there is one."""
    part = dict(tensors)
    save_file(part, folder / name, metadata={"format": "pt"})
    (folder / name).chmod(0o644)  # safetensors lets only the owner read it
    index_file = folder / INDEX
    if index_file.is_file():
        index = json.loads(index_file.read_text(encoding="utf-8"))
        known = index["weight_map"]
        size = sum(tensor.nbytes for key, tensor in part.items() if key not in known)
        index["metadata"]["total_size"] += size
        index["weight_map"] = known | dict.fromkeys(part, name)
        _write_json(index_file, index)


def _shards(
    tensors: Iterable[tuple[str, torch.Tensor]],
) -> Iterator[dict[str, torch.Tensor]]:
    shard: dict[str, torch.Tensor] = {}
    size = 0
    for name, tensor in tensors:
        if shard and size + tensor.nbytes > _SHARD_BYTES:
            yield shard
            shard, size = {}, 0
        shard[name] = tensor
        size += tensor.nbytes
    yield shard


def chat_template() -> str:
    """Return the text of the chat template."""
    template = files("emotion_llama_vllm.checkpoint").joinpath("chat_template.jinja")
    return template.read_text(encoding="utf-8")


def generation_config(config: EmotionLlamaConfig) -> GenerationConfig:
    """Return the sampling parameters of the original's demo."""
    return GenerationConfig(
        do_sample=True,
        temperature=original.TEMPERATURE,
        top_p=original.TOP_P,
        top_k=original.TOP_K,
        max_new_tokens=original.MAX_NEW_TOKENS,
        bos_token_id=config.text.bos_token_id,
        eos_token_id=config.text.eos_token_id,
        pad_token_id=config.video_token_id,
    )


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
