"""Reads the original's two face encoders, `mae_checkpoint-340.pth` and `maeVideo_ckp199.pth`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from emotion_llama_vllm.checkpoint.layout import (
    FACE_MAE,
    VIDEO_MAE,
    Shape,
    face_mae_shapes,
    video_mae_shapes,
)
from emotion_llama_vllm.checkpoint.tensors import Artefact, ConversionError, read_json
from emotion_llama_vllm.config import FACE_PATCH, EmotionLlamaConfig, FaceEncoderConfig

_PREFIXES = ("encoder.", "backbone.", "")
_PATCHES = "patch_embed.proj.weight"
_SIZES = {
    "embed_dim": "hidden_size",
    "depth": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "mlp_hidden": "intermediate_size",
}
_FINE_TUNED = re.compile(r"(head|fc_norm)\.")
_BASE_WIDTH = 768


@dataclass(frozen=True)
class Kind:
    """Describes one of the two encoders."""

    name: str
    role: str
    """The user's name for the file."""
    sizes_file: str
    """The file beside it with its sizes, if they are not ViT-L's."""
    part: str
    """The prefix of its tensors in the checkpoint folder."""
    config_name: str
    dimensions: int
    """The number of dimensions of its patches' weight."""
    shapes: Callable[[FaceEncoderConfig], dict[str, Shape]]
    ignored: re.Pattern[str]
    """Matches the tensors, without the prefix, that the original's extraction does not use."""


KINDS = (
    Kind(
        name="FaceMAE",
        role="--face-mae",
        sizes_file="face_mae_config.json",
        part=FACE_MAE,
        config_name="face_mae_config",
        dimensions=4,
        shapes=face_mae_shapes,
        ignored=re.compile(r"decoder_|mask_token$"),
    ),
    Kind(
        name="VideoMAE",
        role="--video-mae",
        sizes_file="video_mae_config.json",
        part=VIDEO_MAE,
        config_name="video_mae_config",
        dimensions=5,
        shapes=video_mae_shapes,
        ignored=re.compile(r"norm\.|decoder\.|encoder_to_decoder\.|mask_token$"),
    ),
)


def open_face_encoders(
    face_mae: Path | None, video_mae: Path | None, config: EmotionLlamaConfig
) -> list["FaceEncoder"]:
    """Open the files that are given, and write their sizes into the configuration.

    Raises:
        ConversionError: a file is damaged, or another one.
    """
    given = zip(KINDS, (face_mae, video_mae), strict=True)
    encoders = [FaceEncoder(kind, file, config.feature_size) for kind, file in given if file]
    for encoder in encoders:
        setattr(config, encoder.kind.config_name, encoder.config)
    return encoders


class FaceEncoder:
    """Represents an opened file of one kind.

    Args:
        kind: the expected kind.
        file: the file, whose tensors may be under `model` or `module`, with or without a prefix.
        width: the width of the checkpoint's feature rows.

    Raises:
        ConversionError: the file is damaged, or another one.
    """

    def __init__(self, kind: Kind, file: Path, width: int) -> None:
        self.kind, self._file = kind, file
        self._artefact = Artefact(kind.role, [file], inside=("model", "module"))
        self._prefix = self._find_prefix()
        self.config = self._read_config()
        self._check(width)

    @property
    def files(self) -> list[Path]:
        """Return the files that were read."""
        sizes = self._file.with_name(self.kind.sizes_file)
        return [self._file, *([sizes] if sizes.is_file() else [])]

    @property
    def file_name(self) -> str:
        """Return the name of the encoder's own file in the checkpoint folder."""
        return f"{self.kind.part}safetensors"

    def tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the encoder's tensors in float32, under their names in the checkpoint folder."""
        for name, shape in self.kind.shapes(self.config).items():
            tensor = self._artefact.take(self._prefix + name, shape)
            yield self.kind.part + name, tensor.to(torch.float32, copy=True).contiguous()

    def finish(self) -> list[str]:
        """Return the names of the tensors that were left out.

        Raises:
            ConversionError: there is a tensor that neither the encoder nor its training has.
        """
        return self._artefact.finish(
            lambda name: self.kind.ignored.match(name.removeprefix(self._prefix)) is not None
        )

    def _find_prefix(self) -> str:
        for prefix in _PREFIXES:
            if prefix + _PATCHES in self._artefact:
                return prefix
        raise ConversionError(
            f"{self._file} has no {_PATCHES}, so it is no {self.kind.name}; "
            f"{self.kind.role} expects the original's file."
        )

    def _read_config(self) -> FaceEncoderConfig:
        file = self._file.with_name(self.kind.sizes_file)
        if not file.is_file():
            return FaceEncoderConfig()
        sizes = read_json(file, self.kind.role)
        if wrong := [name for name in _SIZES if type(sizes.get(name)) is not int]:
            raise ConversionError(f"{file}: the size {wrong[0]!r} is missing or no whole number.")
        return FaceEncoderConfig(**{ours: sizes[theirs] for theirs, ours in _SIZES.items()})

    def _check(self, width: int) -> None:
        """Check that the file is of this kind and of the expected size."""
        if guess := self._guess_other():
            words = f"{self._file} is not the {self.kind.name} that {self.kind.role} expects"
            raise ConversionError(f"{words}: {guess}.")
        own, heads = self.config.hidden_size, self.config.num_attention_heads
        if own % heads:
            raise ConversionError(f"{self._file}: {heads} heads do not divide a width of {own}.")
        if own != width:
            raise ConversionError(
                f"{self._file} is {own} wide, but the feature rows of the checkpoint are {width} "
                "wide: they do not belong together."
            )

    def _guess_other(self) -> str | None:
        """Return what the file is if it is not of this kind and size."""
        shape, expected = self._artefact.shape(self._prefix + _PATCHES), self.config.hidden_size
        if len(shape) not in {kind.dimensions for kind in KINDS}:
            return f"its {_PATCHES} has {len(shape)} dimensions"
        if shape[-1] != FACE_PATCH:
            return f"it has patches of {shape[-1]} pixels and not of {FACE_PATCH}, as EVA has"
        if len(shape) != self.kind.dimensions:
            (other,) = (kind for kind in KINDS if kind is not self.kind)
            return f"it looks like the {other.name}, which goes to {other.role}"
        if tuned := sorted(filter(_FINE_TUNED.match, self._bare_names())):
            return f"it was fine-tuned as a classifier, since it has {tuned[0]}"
        if shape[0] != expected:
            size = " (base size)" if shape[0] == _BASE_WIDTH else ""
            return f"it is {shape[0]} wide{size} and not {expected}"
        return None

    def _bare_names(self) -> Iterator[str]:
        return (name.removeprefix(self._prefix) for name in self._artefact.names())
