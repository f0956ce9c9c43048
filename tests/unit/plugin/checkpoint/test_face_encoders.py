"""Both ways in for the face encoders, and one sentence for every wrong file."""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from demo.training.originals import face_sizes
from devtools.small_checkpoint import (
    FACE_CONFIG,
    write_random_face_encoders,
    write_random_originals,
)
from emotion_llama_vllm.checkpoint import folder as folder_module
from emotion_llama_vllm.checkpoint.add_encoders import add_encoders
from emotion_llama_vllm.checkpoint.convert import convert
from emotion_llama_vllm.checkpoint.doctor import examine_checkpoint
from emotion_llama_vllm.checkpoint.layout import tensor_shapes
from emotion_llama_vllm.checkpoint.manifest import Manifest, sha256
from emotion_llama_vllm.checkpoint.tensors import ConversionError
from emotion_llama_vllm.config import EmotionLlamaConfig
from tests.support.golden.faces import FACE_MAE, VIDEO_MAE


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The two files, which a test may damage."""
    folder = tmp_path / "files"
    folder.mkdir()
    face_mae, video_mae = write_random_face_encoders(folder)
    return {"face_mae": face_mae, "video_mae": video_mae}


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of a checkpoint without face encoders."""
    copy = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, copy)
    return copy


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        found |= load_file(file)
    return found


def manifest_of(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / "manifest.json").read_text())


def features_of(folder: Path) -> str:
    findings = examine_checkpoint(folder)
    assert all(finding.ok for finding in findings), findings
    [told] = [finding.words for finding in findings if finding.subject == "features"]
    return told


def test_converting_with_them_and_adding_them_later_make_the_same(
    files: dict[str, Path], tmp_path: Path
) -> None:
    originals = write_random_originals(tmp_path / "originals")
    convert(replace(originals, **files), tmp_path / "at once", dtype=torch.bfloat16)
    convert(originals, tmp_path / "later", dtype=torch.bfloat16)
    before = features_of(tmp_path / "later")
    assert "FaceMAE and VideoMAE are zeros where a request does not give them" in before
    assert add_encoders(tmp_path / "later", **files) == ["FaceMAE", "VideoMAE"]
    assert "FaceMAE and VideoMAE from face crops" in features_of(tmp_path / "later")
    at_once, later = (manifest_of(tmp_path / name) for name in ("at once", "later"))
    assert at_once == later
    assert {entry.role for entry in later.inputs} >= {"--face-mae", "--video-mae"}
    assert later.ignored["--face-mae"] == ["decoder_embed.bias"]


def test_every_tensor_is_stored_in_float32(files: dict[str, Path], folder: Path) -> None:
    add_encoders(folder, **files)
    config = EmotionLlamaConfig.from_pretrained(folder)
    assert (config.face_mae, config.video_mae) != (None, None)
    tensors = tensors_of(folder)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == tensor_shapes(config)
    for file, part, prefix in (
        ("face_mae", "face_mae.", ""),
        ("video_mae", "video_mae.", "encoder."),
    ):
        stored = read(files[file])["model"]
        ours = {n.removeprefix(part): t for n, t in tensors.items() if n.startswith(part)}
        assert {tensor.dtype for tensor in ours.values()} == {torch.float32}
        assert all(torch.equal(tensor, stored[prefix + name]) for name, tensor in ours.items())


@pytest.mark.parametrize(("name", "row"), [("face_mae", "FaceMAE"), ("video_mae", "VideoMAE")])
def test_one_may_come_without_the_other(
    files: dict[str, Path], folder: Path, name: str, row: str
) -> None:
    assert add_encoders(folder, **{name: files[name]}) == [row]
    told = features_of(folder)
    assert f"{row} from face crops" in told
    assert told.count("zeros") == 1
    other = ({"face_mae", "video_mae"} - {name}).pop()
    assert add_encoders(folder, **{other: files[other]}) == ["FaceMAE", "VideoMAE"]


def test_one_that_is_there_already_is_replaced(
    files: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    add_encoders(folder, **files)
    (tmp_path / "others").mkdir()
    face_mae, _ = write_random_face_encoders(tmp_path / "others", seed=1)
    kept = tensors_of(folder)
    add_encoders(folder, face_mae=face_mae)
    ours = tensors_of(folder)
    assert {n for n in ours if not torch.equal(ours[n], kept[n])} >= {"face_mae.cls_token"}
    assert all(torch.equal(ours[n], kept[n]) for n in ours if not n.startswith("face_mae."))
    [entry] = [entry for entry in manifest_of(folder).inputs if entry.name == "face_mae.pth"]
    assert entry.sha256 == sha256(face_mae)
    features_of(folder)


def test_the_index_of_many_shards_lists_them(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_SHARD_BYTES", 200_000)
    originals = write_random_originals(tmp_path / "originals")
    convert(originals, tmp_path / "many", dtype=torch.bfloat16)
    for _ in range(2):  # the second time they are there already
        add_encoders(tmp_path / "many", **files)
        index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
        tensors = tensors_of(tmp_path / "many")
        assert index["weight_map"].keys() == tensors.keys()
        assert index["metadata"]["total_size"] == sum(t.nbytes for t in tensors.values())
        assert index["weight_map"]["face_mae.cls_token"] == "face_mae.safetensors"
    features_of(tmp_path / "many")


def test_what_was_changed_before_stays_visible(files: dict[str, Path], folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    add_encoders(folder, **files)
    [wrong] = [finding for finding in examine_checkpoint(folder) if not finding.ok]
    assert "model.safetensors differs" in wrong.words


@pytest.mark.parametrize("key", ["model", "module", None])
@pytest.mark.parametrize("prefix", ["", "encoder.", "backbone."])
def test_all_the_forms_that_trainings_store_are_read(
    files: dict[str, Path], folder: Path, key: str | None, prefix: str
) -> None:
    for file in files.values():
        model = read(file)["model"]
        bare = {prefix + name.removeprefix("encoder."): tensor for name, tensor in model.items()}
        torch.save(bare if key is None else {key: bare, "epoch": 3}, file)
    assert add_encoders(folder, **files) == ["FaceMAE", "VideoMAE"]


def test_the_originals_own_files_are_read(folder: Path) -> None:
    add_encoders(folder, face_mae=FACE_MAE, video_mae=VIDEO_MAE)
    left_out = manifest_of(folder).ignored
    assert "decoder_pred.weight" in left_out["--face-mae"]
    assert {"encoder.norm.weight", "encoder_to_decoder.weight", "mask_token"} <= set(
        left_out["--video-mae"]
    )


def read(file: Path) -> Any:
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(file, weights_only=True)


def change(name: str, edit: Callable[[dict[str, Any]], object]) -> Callable[..., None]:
    """Return a damage to the tensors of one file."""

    def damage(files: dict[str, Path]) -> None:
        content = read(files[name])
        edit(content["model"])
        torch.save(content, files[name])

    return damage


def size(name: str, **values: object) -> Callable[..., None]:
    def damage(files: dict[str, Path]) -> None:
        sizes = face_sizes(FACE_CONFIG) | values
        files[name].with_name(f"{name}_config.json").write_text(json.dumps(sizes))

    return damage


def no_sizes(files: dict[str, Path]) -> None:
    for name, file in files.items():
        file.with_name(f"{name}_config.json").unlink()


def patches(width: int, *shape: int) -> dict[str, torch.Tensor]:
    return {"patch_embed.proj.weight": torch.zeros(width, 3, *shape)}


def swap(files: dict[str, Path]) -> None:
    files["face_mae"], files["video_mae"] = files["video_mae"], files["face_mae"]


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/emotion-llama-was-here",)


def evil(files: dict[str, Path]) -> None:
    torch.save({"model": read(files["face_mae"])["model"], "args": _Evil()}, files["face_mae"])


def bare(name: str, tensors: dict[str, torch.Tensor]) -> Callable[..., None]:
    return lambda files: torch.save({"model": tensors}, files[name])


DAMAGES: dict[str, tuple[Callable[[dict[str, Path]], object], tuple[str, ...]]] = {
    "a tensor missing": (
        change("face_mae", lambda model: model.pop("blocks.1.mlp.fc1.bias")),
        ("face_mae.pth", "blocks.1.mlp.fc1.bias", "missing", "--face-mae"),
    ),
    "a tensor left over": (
        change("video_mae", lambda model: model.update({"encoder.rope": torch.zeros(1)})),
        ("video_mae.pth", "encoder.rope", "does not have", "--video-mae"),
    ),
    "more blocks than expected": (
        size("face_mae", depth=1),
        ("face_mae.pth", "blocks.1.attn.proj.bias", "does not have"),
    ),
    "fewer blocks than expected": (
        size("video_mae", depth=3),
        ("video_mae.pth", "blocks.2.", "missing"),
    ),
    "a mis-shaped tensor": (
        change("face_mae", lambda model: model.update(pos_embed=torch.zeros(1, 50, 64))),
        ("face_mae.pth", "pos_embed is [1, 50, 64], but [1, 197, 64] is expected"),
    ),
    "a value that is no number": (
        change("video_mae", lambda model: model["encoder.blocks.0.norm1.weight"].fill_(torch.nan)),
        ("video_mae.pth", "blocks.0.norm1.weight", "not finite"),
    ),
    "a fine-tuned FaceMAE": (
        change("face_mae", lambda model: model.update({"head.weight": torch.zeros(6, 64)})),
        ("face_mae.pth", "fine-tuned as a classifier", "head.weight"),
    ),
    "a fine-tuned VideoMAE": (
        change("video_mae", lambda model: model.update({"encoder.fc_norm.bias": torch.zeros(64)})),
        ("video_mae.pth", "fine-tuned as a classifier", "fc_norm.bias"),
    ),
    "the other kind": (swap, ("looks like the VideoMAE, which goes to --video-mae",)),
    "a FaceMAE for VideoMAE": (
        bare("video_mae", patches(64, 16, 16)),
        ("looks like the FaceMAE, which goes to --face-mae",),
    ),
    "an EVA": (bare("face_mae", patches(64, 14, 14)), ("patches of 14 pixels", "as EVA has")),
    "the base size": (
        lambda files: (no_sizes(files), bare("face_mae", patches(768, 16, 16))(files)),
        ("768 wide (base size) and not 1024",),
    ),
    "another width": (no_sizes, ("it is 64 wide and not 1024",)),
    "a width that the checkpoint does not have": (
        lambda files: (
            size("face_mae", embed_dim=32)(files),
            bare("face_mae", patches(32, 16, 16))(files),
        ),
        ("32 wide", "feature rows of the checkpoint are 64 wide"),
    ),
    "heads that do not divide": (size("face_mae", num_heads=5), ("5 heads do not divide",)),
    "a size missing": (
        lambda files: files["face_mae"].with_name("face_mae_config.json").write_text("{}"),
        ("face_mae_config.json", "the size 'embed_dim' is missing"),
    ),
    "a size that is no number": (
        size("video_mae", depth="two"),
        ("video_mae_config.json", "the size 'depth' is missing or no whole number"),
    ),
    "patches that are none": (
        bare("video_mae", {"encoder.patch_embed.proj.weight": torch.zeros(())}),
        ("patch_embed.proj.weight has 0 dimensions",),
    ),
    "another network": (
        bare("face_mae", {"model.norm.weight": torch.zeros(4)}),
        ("has no patch_embed.proj.weight, so it is no FaceMAE",),
    ),
    "a pickle that would run code": (evil, ("face_mae.pth", "never read")),
    "no file": (lambda files: files["video_mae"].unlink(), ("video_mae.pth is missing",)),
    "a page in place of a file": (
        lambda files: files["video_mae"].write_bytes(b"<html>not found</html>"),
        ("video_mae.pth", "plain tensors"),
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.costly
def test_a_wrong_file_is_told_in_one_sentence_and_changes_nothing(
    files: dict[str, Path], folder: Path, name: str
) -> None:
    damage, words = DAMAGES[name]
    damage(files)
    before = {file.name: sha256(file) for file in folder.iterdir()}
    with pytest.raises(ConversionError) as caught:
        add_encoders(folder, **files)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
    assert {file.name: sha256(file) for file in folder.iterdir()} == before
    assert not Path("/tmp/emotion-llama-was-here").exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: shutil.rmtree(folder), "config.json is missing"),
        (lambda folder: (folder / "config.json").write_text("{}"), "no checkpoint made by"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is unreadable"),
    ],
)
def test_a_folder_that_is_no_checkpoint_is_told(
    files: dict[str, Path], folder: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(folder)
    with pytest.raises(ConversionError, match=words):
        add_encoders(folder, **files)


def test_a_full_disk_is_told_and_changes_nothing(
    files: dict[str, Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    before = {file.name: sha256(file) for file in folder.iterdir()}
    monkeypatch.setattr(folder_module, "save_file", full)
    with pytest.raises(ConversionError, match="is full; nothing was left behind"):
        add_encoders(folder, **files)
    assert {file.name: sha256(file) for file in folder.iterdir()} == before
