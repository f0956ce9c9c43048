"""Quantizes the Llama's linear layers by rounding to nearest, in llm-compressor's format.

Encoders, projections, embedding and head keep their precision. vLLM's quantization called
compressed-tensors serves the result.
"""

import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.format import infer_module_format
from compressed_tensors.quantization import (
    QuantizationArgs,
    QuantizationConfig,
    QuantizationScheme,
    QuantizationStatus,
    preset_name_to_scheme,
)
from compressed_tensors.quantization.utils import calculate_qparams
from rich.progress import track
from safetensors.torch import load_file

from emotion_llama_vllm.checkpoint.folder import (
    INDEX,
    new_folder,
    read_folder,
    write_part,
    write_weights,
)
from emotion_llama_vllm.checkpoint.layout import (
    FACE_MAE,
    LANGUAGE,
    VIDEO_MAE,
    is_linear,
    tensor_shapes,
)
from emotion_llama_vllm.checkpoint.manifest import FILE_NAME, hash_folder
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.checkpoint.tensors import Artefact, ConversionError
from emotion_llama_vllm.config import EmotionLlamaConfig

GROUP_SIZES = (128, 64, 32)
"""The numbers of weights that may share a scale; the first that divides all layers is taken."""
_KEPT = (
    "re:vision_tower.*",
    "re:audio_tower.*",
    "re:face_mae.*",
    "re:video_mae.*",
    "re:.*llama_proj.*",
    f"{LANGUAGE}lm_head",
)
"""The layers that are not quantized, as names and patterns of compressed-tensors."""


class Quantizer:
    """Quantizes tensors as they pass, so that one layer is in memory at a time.

    Raises:
        ConversionError: no group size divides the Llama's layers.
    """

    def __init__(self, config: EmotionLlamaConfig, scheme: Scheme, dtype: torch.dtype) -> None:
        """Choose the parameters.

        Args:
            config: the checkpoint's configuration.
            scheme: the scheme.
            dtype: the dtype of the scales, which is that of the checkpoint.
        """
        self._scheme = preset_name_to_scheme(scheme.value, targets=["Linear"])
        self._weights = _weights(config, self._scheme)
        self._scheme.weights = self._weights
        self._dtype = dtype
        self._format = infer_module_format(torch.nn.Linear, self._scheme)
        self._compressor = BaseCompressor.get_value_from_registry(self._format.value)

    @property
    def config(self) -> dict[str, Any]:
        """Return the `quantization_config` that tells vLLM how to read the tensors."""
        return QuantizationConfig(
            config_groups={"group_0": self._scheme},
            format=self._format.value,
            quantization_status=QuantizationStatus.COMPRESSED,
            ignore=list(_KEPT),
        ).model_dump(mode="json", exclude_none=True)

    def each(
        self, tensors: Iterable[tuple[str, torch.Tensor]]
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the tensors, a few for the weight of each linear layer of the Llama."""
        for name, tensor in tensors:
            if is_linear(name):
                layer = name.removesuffix("weight")
                yield from ((layer + part, t) for part, t in self._compress(tensor).items())
            else:
                yield name, tensor

    def _compress(self, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the tensors that stand for a weight [outputs, inputs].

        In bfloat16 a weight divided by its scale would lose the bits that are rounded here.
        """
        weight = weight.float()
        groups = weight.unflatten(1, (-1, self._weights.group_size or weight.shape[1]))
        scale, _ = calculate_qparams(groups.amin(dim=-1), groups.amax(dim=-1), self._weights)
        scale = scale.to(self._dtype)
        given: dict[str, torch.Tensor | None] = {"weight": weight, "weight_scale": scale.float()}
        made = self._compressor.compress(given, self._scheme)
        return {name: t for name, t in made.items() if t is not None} | {"weight_scale": scale}


def quantize(folder: Path, out: Path, scheme: Scheme) -> EmotionLlamaConfig:
    """Write a quantized copy of a checkpoint.

    Args:
        folder: a folder made by `convert`.
        out: the folder to create; it must not exist.
        scheme: the scheme.

    Returns:
        The configuration of the copy.

    Raises:
        ConversionError: the folder is no checkpoint, or it is quantized already.
    """
    config, manifest = read_folder(folder)
    if config.is_quantized:
        raise ConversionError(f"{folder} is quantized already; name the checkpoint that it is of.")
    quantizer = Quantizer(config, scheme, cast(torch.dtype, config.dtype))
    with new_folder(out) as new:
        _copy_files(folder, new)
        config.quantization_config = quantizer.config
        config.save_pretrained(new)
        write_weights(new, quantizer.each(_tensors(folder, config)))
        for file in _parts(folder):
            write_part(new, file.name, load_file(file).items())
        made_by = f"emotion-llama {version('emotion-llama')}"
        manifest = manifest.model_copy(update={"made_by": made_by, "files": hash_folder(new)})
        (new / FILE_NAME).write_text(manifest.model_dump_json(indent=2) + "\n")
    return config


def _weights(config: EmotionLlamaConfig, scheme: QuantizationScheme) -> QuantizationArgs:
    """Return a scheme's parameters for weights, with a group size that divides all layers."""
    weights = cast(QuantizationArgs, scheme.weights)
    if weights.group_size is None:
        return weights
    inputs = config.text.hidden_size, config.text.intermediate_size
    for size in GROUP_SIZES:
        if not any(count % size for count in inputs):
            return weights.model_copy(update={"group_size": size})
    raise ConversionError(
        f"the Llama's layers read {inputs[0]} and {inputs[1]} values, which are no multiples of "
        f"{GROUP_SIZES[-1]}; {Scheme.W8A8} needs no groups."
    )


def _tensors(folder: Path, config: EmotionLlamaConfig) -> Iterator[tuple[str, torch.Tensor]]:
    weights = Artefact.of_folder("CHECKPOINT", folder)
    parts = (FACE_MAE, VIDEO_MAE)  # in files of their own
    shapes = [item for item in tensor_shapes(config).items() if not item[0].startswith(parts)]
    for name, shape in track(shapes, "Quantizing", transient=True):
        yield name, weights.take(name, shape)


def _parts(folder: Path) -> list[Path]:
    """Return the files of weights beside the Llama's: those of the face encoders."""
    return sorted(set(folder.glob("*.safetensors")) - set(folder.glob("model*.safetensors")))


def _copy_files(folder: Path, new: Path) -> None:
    """Copy the files that stay as they are."""
    for file in folder.iterdir():
        if file.suffix != ".safetensors" and file.name not in (INDEX, FILE_NAME, "config.json"):
            shutil.copy(file, new)
