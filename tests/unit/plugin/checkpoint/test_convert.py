"""The converter: what it writes, and one sentence for every wrong file."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from devtools.small_checkpoint import write_random_originals
from emotion_llama_vllm.checkpoint import folder as folder_module
from emotion_llama_vllm.checkpoint.convert import Originals, convert
from emotion_llama_vllm.checkpoint.layout import tensor_shapes
from emotion_llama_vllm.checkpoint.manifest import Manifest, sha256
from emotion_llama_vllm.checkpoint.tensors import ConversionError
from emotion_llama_vllm.config import EmotionLlamaConfig
from tests.support.golden.reference import relative_error


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    write_random_originals(folder)
    return folder


@pytest.fixture
def originals(pristine: Path, tmp_path: Path) -> Originals:
    """A copy that a test may damage."""
    copy = tmp_path / "originals"
    shutil.copytree(pristine, copy)
    return Originals(
        llama=copy / "llama",
        eva=copy / "eva_vit_g.pth",
        hubert=copy / "hubert",
        checkpoint=copy / "Emotion_LLaMA.pth",
    )


def test_it_writes_every_tensor_of_the_model_in_its_dtype(
    originals: Originals, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    config = convert(originals, out, dtype=torch.float16)
    tensors = load_file(out / "model.safetensors")
    assert {name: tuple(t.shape) for name, t in tensors.items()} == tensor_shapes(config)
    kept = {name for name, tensor in tensors.items() if tensor.dtype == torch.float32}
    assert kept == {n for n in tensors if n.startswith(("audio_tower.", "vision_tower.ln_vision"))}
    assert {t.dtype for n, t in tensors.items() if n not in kept} == {torch.float16}
    assert EmotionLlamaConfig.from_pretrained(out).dtype == torch.float16


def test_the_lora_is_merged_in_float32(originals: Originals, tmp_path: Path) -> None:
    convert(originals, tmp_path / "out", dtype=torch.float32, lora_alpha=24)
    tensors = load_file(tmp_path / "out" / "model.safetensors")
    adapter = torch.load(originals.checkpoint, weights_only=True)["model"]
    llama = LlamaForCausalLM.from_pretrained(originals.llama).state_dict()
    for projection in "qkv":
        name = f"model.layers.1.self_attn.{projection}_proj"
        expected = llama[f"{name}.weight"].float()
        pair = f"llama_model.base_model.model.{name}.lora_{{}}.weight"
        if projection in "qv":
            down, up = adapter[pair.format("A")], adapter[pair.format("B")]
            change = 24 / down.shape[0] * (up @ down)
            assert change.abs().max() > 1e-3
            expected = expected + change
        ours = tensors[f"language_model.{name}.weight"]
        assert relative_error(ours, expected) <= 1e-6


def test_the_manifest_says_what_it_was_made_of(originals: Originals, tmp_path: Path) -> None:
    out = tmp_path / "out"
    add_to_checkpoint(originals, **{"attention.fc_out.weight": torch.zeros(6, 8)})
    convert(originals, out, dtype=torch.bfloat16)
    manifest = Manifest.model_validate_json((out / "manifest.json").read_text())
    (checkpoint,) = [entry for entry in manifest.inputs if entry.role == "--checkpoint"]
    assert checkpoint.sha256 == sha256(originals.checkpoint)
    assert {entry.role for entry in manifest.inputs} == {
        "--llama",
        "--eva",
        "--hubert",
        "--checkpoint",
    }
    assert manifest.ignored["--checkpoint"] == ["attention.fc_out.weight"]
    assert manifest.files["model.safetensors"] == sha256(out / "model.safetensors")


def test_many_shards_hold_the_same(
    originals: Originals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(originals, tmp_path / "one", dtype=torch.bfloat16)
    monkeypatch.setattr(folder_module, "_SHARD_BYTES", 200_000)
    convert(originals, tmp_path / "many", dtype=torch.bfloat16)
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    files = sorted(set(index["weight_map"].values()))
    assert len(files) > 3
    together: dict[str, torch.Tensor] = {}
    for file in files:
        together |= load_file(tmp_path / "many" / file)
    whole = load_file(tmp_path / "one" / "model.safetensors")
    assert together.keys() == whole.keys() == index["weight_map"].keys()
    assert all(torch.equal(together[name], whole[name]) for name in whole)


@pytest.mark.parametrize("kind", ["pickles", "shards", "old names"])
def test_all_the_formats_that_users_have_are_read(
    originals: Originals, tmp_path: Path, kind: str
) -> None:
    convert(originals, tmp_path / "expected", dtype=torch.float32)
    if kind == "pickles":
        pickled(originals.llama)
        pickled(originals.hubert)
    elif kind == "shards":
        LlamaForCausalLM.from_pretrained(originals.llama).save_pretrained(
            originals.llama, max_shard_size="200KB"
        )
        (originals.llama / "model.safetensors").unlink(missing_ok=True)
    else:
        # HuBERT's weight norm as it was saved before, EVA as a file from before PyTorch 1.6.
        weights = pickled(originals.hubert)
        tensors = torch.load(weights, weights_only=True)
        start = "encoder.pos_conv_embed.conv."
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            tensors[start + old] = tensors.pop(f"{start}parametrizations.weight.{new}")
        torch.save(tensors, weights)
        eva = torch.load(originals.eva, weights_only=True)
        torch.save(eva, originals.eva, _use_new_zipfile_serialization=False)
    convert(originals, tmp_path / "out", dtype=torch.float32)
    expected, ours = (
        load_file(tmp_path / name / "model.safetensors") for name in ("expected", "out")
    )
    assert all(torch.equal(expected[name], ours[name]) for name in expected)


def pickled(folder: Path) -> Path:
    """Replace a folder's safetensors by a pickle."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder / "pytorch_model.bin"


def change(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = torch.load(file, weights_only=True)
    edit(content.get("model", content))
    torch.save(content, file)


def add_to_checkpoint(originals: Originals, **tensors: torch.Tensor) -> None:
    change(originals.checkpoint, lambda content: content.update(tensors))


def change_json(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/emotion-llama-was-here",)


def _drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.pop(name)


def _reshape(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update({name: content[name][:-1]})


def _spoil(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[name].view(-1)[0:1].fill_(float("nan"))


_FAR = "llama_model.base_model.model.model.layers.9.self_attn.q_proj.lora_{}.weight"
Damage = Callable[[Originals], object]
DAMAGES: dict[str, tuple[Damage, tuple[str, ...]]] = {
    "a tensor missing in EVA": (
        lambda o: change(o.eva, _drop("blocks.1.mlp.fc1.weight")),
        ("eva_vit_g.pth", "blocks.1.mlp.fc1.weight", "missing"),
    ),
    "too few EVA blocks": (
        lambda o: change_json(o.eva.with_name("eva_config.json"), depth=3),
        ("eva_vit_g.pth", "blocks.2.", "missing"),
    ),
    "a size missing in eva_config.json": (
        lambda o: o.eva.with_name("eva_config.json").write_text("{}"),
        ("eva_config.json", "size", "missing"),
    ),
    "EVA of another width": (
        lambda o: change_json(o.eva.with_name("eva_config.json"), embed_dim=63),
        ("llama_proj.weight", "no multiple of the EVA's width 63"),
    ),
    "an unknown tensor in EVA": (
        lambda o: change(o.eva, lambda c: c.update({"rope.freqs": torch.zeros(1)})),
        ("eva_vit_g.pth", "rope.freqs", "does not have"),
    ),
    "a mis-shaped projection": (
        lambda o: change(o.checkpoint, _reshape("feats_llama_proj2.weight")),
        ("Emotion_LLaMA.pth", "feats_llama_proj2.weight", "[127, 64]", "[128, 64]"),
    ),
    "a missing projection": (
        lambda o: change(o.checkpoint, _drop("cls_tk_llama_proj.bias")),
        ("Emotion_LLaMA.pth", "cls_tk_llama_proj.bias", "missing"),
    ),
    "a missing LoRA half": (
        lambda o: change(
            o.checkpoint,
            _drop("llama_model.base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"),
        ),
        ("Emotion_LLaMA.pth", "q_proj.lora_B.weight", "missing"),
    ),
    "no LoRA at all": (
        lambda o: change(
            o.checkpoint, lambda c: [c.pop(name) for name in list(c) if "lora_" in name]
        ),
        ("Emotion_LLaMA.pth", "no LoRA"),
    ),
    "a LoRA for a layer that is not there": (
        lambda o: add_to_checkpoint(o, **{_FAR.format(p): torch.zeros(8, 8) for p in "AB"}),
        ("Emotion_LLaMA.pth", "layers.9", "does not have"),
    ),
    "an unknown tensor in the checkpoint": (
        lambda o: add_to_checkpoint(o, more=torch.zeros(1)),
        ("Emotion_LLaMA.pth", "more", "does not have"),
    ),
    "not a number in the Llama": (
        lambda o: change(pickled(o.llama), _spoil("model.norm.weight")),
        ("pytorch_model.bin", "model.norm.weight", "not finite"),
    ),
    "not a number in HuBERT": (
        lambda o: change(pickled(o.hubert), _spoil("encoder.layer_norm.weight")),
        ("pytorch_model.bin", "encoder.layer_norm.weight", "not finite"),
    ),
    "a HuBERT of another width": (
        lambda o: change(
            o.checkpoint, lambda c: c.update({"feats_llama_proj1.weight": torch.zeros(128, 32)})
        ),
        ("feats_llama_proj1.weight", "reads 32", "64 wide"),
    ),
    "a Llama of another width": (
        lambda o: change_json(o.llama / "config.json", hidden_size=256),
        ("llama_proj.weight", "writes 128", "256 wide"),
    ),
    "more rows than pieces": (
        lambda o: change_json(o.llama / "config.json", vocab_size=600),
        ("model.embed_tokens.weight", "600", "tokenizer.model"),
    ),
    "no tokenizer": (
        lambda o: (o.llama / "tokenizer.model").unlink(),
        ("tokenizer.model", "missing"),
    ),
    "a damaged tokenizer": (
        lambda o: (o.llama / "tokenizer.model").write_bytes(b"x"),
        ("tokenizer.model", "no sentencepiece model"),
    ),
    "no weights": (
        lambda o: (o.llama / "model.safetensors").unlink(),
        ("--llama", "no weights", "model*.safetensors"),
    ),
    "damaged safetensors": (
        lambda o: (o.hubert / "model.safetensors").write_bytes(b"x" * 100),
        ("model.safetensors", "damaged"),
    ),
    "no config": (lambda o: (o.hubert / "config.json").unlink(), ("--hubert", "config.json")),
    "a config that is no JSON": (
        lambda o: (o.llama / "config.json").write_text("{"),
        ("--llama", "config.json", "no JSON"),
    ),
    "another model's config": (
        lambda o: change_json(o.llama / "config.json", model_type="mistral"),
        ("--llama", "mistral"),
    ),
    "a missing file": (lambda o: o.checkpoint.unlink(), ("Emotion_LLaMA.pth", "missing")),
    "a file that is no pickle": (
        lambda o: o.eva.write_bytes(b"<html>not found</html>"),
        ("eva_vit_g.pth", "plain tensors"),
    ),
    "a pickle that would run code": (
        lambda o: o.checkpoint.write_bytes(pickle.dumps({"model": _Evil()}, protocol=2)),
        ("Emotion_LLaMA.pth", "never read"),
    ),
    "a pickle of something else": (
        lambda o: torch.save([1, 2], o.eva),
        ("eva_vit_g.pth", "no dictionary of tensors"),
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.costly
def test_a_wrong_file_is_told_in_one_sentence_and_leaves_nothing(
    originals: Originals, tmp_path: Path, name: str
) -> None:
    damage, words = DAMAGES[name]
    damage(originals)
    with pytest.raises(ConversionError) as caught:
        convert(originals, tmp_path / "out", dtype=torch.bfloat16)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["originals"]
    assert not Path("/tmp/emotion-llama-was-here").exists()


def test_a_file_given_for_another_is_recognised(originals: Originals, tmp_path: Path) -> None:
    llama = pickled(originals.llama)
    for wrong, guess in ((llama, "plain Llama"), (originals.eva, "the EVA file")):
        with pytest.raises(ConversionError, match=guess):
            convert(replace(originals, checkpoint=wrong), tmp_path / "out", dtype=torch.bfloat16)


def test_an_existing_folder_is_kept(originals: Originals, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("x")
    with pytest.raises(ConversionError, match="exists already"):
        convert(originals, out, dtype=torch.bfloat16)
    assert (out / "mine").read_text() == "x"


def test_a_full_disk_is_told_and_leaves_nothing(
    originals: Originals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "save_file", full)
    with pytest.raises(ConversionError, match="is full; nothing was left behind"):
        convert(originals, tmp_path / "out", dtype=torch.bfloat16)
    assert [path.name for path in tmp_path.iterdir()] == ["originals"]
