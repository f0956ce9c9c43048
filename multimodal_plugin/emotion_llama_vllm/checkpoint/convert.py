"""Converts the original's five artefacts into a folder that vLLM serves."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from rich.progress import track
from transformers import HubertConfig, LlamaConfig

from emotion_llama_vllm.checkpoint import adapter, vision
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.face_encoders import open_face_encoders
from emotion_llama_vllm.checkpoint.folder import (
    new_folder,
    write_files,
    write_part,
    write_weights,
)
from emotion_llama_vllm.checkpoint.layout import (
    AUDIO,
    FACE_MAE,
    LANGUAGE,
    VIDEO_MAE,
    VISION,
    audio_shapes,
    kept_dtype,
    language_shapes,
    projection_shapes,
    tensor_shapes,
)
from emotion_llama_vllm.checkpoint.manifest import (
    FILE_NAME,
    Manifest,
    describe_inputs,
    hash_folder,
)
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.checkpoint.tensors import Artefact, ConversionError, read_json
from emotion_llama_vllm.checkpoint.tokenizer import read_sentencepiece
from emotion_llama_vllm.config import EmotionLlamaConfig

LLAMA, HUBERT = "--llama", "--hubert"
LLAMA_FILES = ("config.json", "tokenizer.model")
HUBERT_FILES = ("config.json",)

_OLD_WEIGHT_NORM = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


@dataclass(frozen=True)
class Originals:
    """Holds the paths of the five artefacts; the tokenizer is in the Llama's folder.

    The two face encoders may be left out.
    """

    llama: Path
    eva: Path
    hubert: Path
    checkpoint: Path
    face_mae: Path | None = None
    video_mae: Path | None = None


def convert(
    originals: Originals,
    out: Path,
    *,
    dtype: torch.dtype,
    lora_alpha: float = 16,
    card: Card | None = None,
    scheme: Scheme | None = None,
) -> EmotionLlamaConfig:
    """Convert the artefacts and write the folder `out`.

    Args:
        originals: the files in the form in which the original uses them.
        out: the folder to create; it must not exist.
        dtype: the dtype of the weights; HuBERT and `ln_vision` stay in float32.
        lora_alpha: `lora_alpha` of the training configuration.
        card: the checkpoint's card; None stands for the card of the original's weights.
        scheme: how the Llama's linear layers are quantized, after the LoRA's merge; None keeps
            them.

    Returns:
        The new checkpoint's configuration.

    Raises:
        ConversionError: a file is missing, damaged or of the wrong kind.
    """
    return _Conversion(originals, lora_alpha).write(out, dtype, card or Card(), scheme)


class _Conversion:
    """Holds the opened artefacts, and the configuration that follows from them."""

    def __init__(self, originals: Originals, lora_alpha: float) -> None:
        self._originals = originals
        self._lora_alpha = lora_alpha
        self._adapter = adapter.open_adapter(originals.checkpoint)
        self._lora = adapter.Lora(self._adapter, lora_alpha)
        self._llama = Artefact.of_folder(LLAMA, originals.llama)
        self._hubert = Artefact.of_folder(HUBERT, originals.hubert)
        self._eva = Artefact(vision.ROLE, [originals.eva])
        self._tokenizer = read_sentencepiece(originals.llama / "tokenizer.model")
        self.config = self._read_config()
        self._check_sizes()
        self._faces = open_face_encoders(originals.face_mae, originals.video_mae, self.config)

    def write(
        self, out: Path, dtype: torch.dtype, card: Card, scheme: Scheme | None
    ) -> EmotionLlamaConfig:
        self.config.dtype = dtype
        tensors = self._tensors()
        if scheme is not None:
            # The import of compressed-tensors takes seconds.
            from emotion_llama_vllm.checkpoint.quantize import Quantizer

            quantizer = Quantizer(self.config, scheme, dtype)
            self.config.quantization_config = quantizer.config
            tensors = quantizer.each(tensors)
        with new_folder(out) as folder:
            write_files(folder, self.config, self._tokenizer, card)
            write_weights(folder, _cast(tensors, dtype))
            for encoder in self._faces:
                write_part(folder, encoder.file_name, encoder.tensors())
            manifest = self._manifest(folder)
            (folder / FILE_NAME).write_text(manifest.model_dump_json(indent=2) + "\n")
        return self.config

    def _read_config(self) -> EmotionLlamaConfig:
        llama = read_json(self._originals.llama / "config.json", LLAMA)
        hubert = read_json(self._originals.hubert / "config.json", HUBERT)
        if llama.get("model_type") != "llama" or hubert.get("model_type") != "hubert":
            raise ConversionError(
                f"{LLAMA} must be a llama and {HUBERT} a hubert, but their config.json say "
                f"{llama.get('model_type')!r} and {hubert.get('model_type')!r}."
            )
        # Masking is for training only: without it HuBERT has no tensor for masked frames.
        hubert |= {"mask_time_prob": 0.0, "mask_feature_prob": 0.0}
        eva = vision.read_config(self._originals.eva)
        columns = self._adapter.shape("llama_proj.weight")[1]
        if columns % eva.hidden_size:
            raise ConversionError(
                f"{self._originals.checkpoint}: llama_proj.weight reads {columns} values, "
                f"which is no multiple of the EVA's width {eva.hidden_size}."
            )
        return EmotionLlamaConfig(
            text_config=LlamaConfig(**llama),
            vision_config=eva,
            audio_config=HubertConfig(**hubert),
            patches_per_embedding=columns // eva.hidden_size,
        )

    def _check_sizes(self) -> None:
        """Check that the sizes of the artefacts agree, before anything is written."""
        rows = self._adapter.shape("llama_proj.weight")[0]
        width = self.config.text.hidden_size
        if rows != width:
            raise ConversionError(
                f"{self._originals.checkpoint}: llama_proj.weight writes {rows} values, but the "
                f"Llama in {self._originals.llama} is {width} wide: they do not belong together."
            )
        feature = self._adapter.shape("feats_llama_proj1.weight")[1]
        if feature != self.config.feature_size:
            raise ConversionError(
                f"{self._originals.checkpoint}: feats_llama_proj1.weight reads {feature} values, "
                f"but the HuBERT in {self._originals.hubert} is {self.config.feature_size} wide."
            )
        embeddings = self._llama.shape("model.embed_tokens.weight")[0]
        if not embeddings == len(self._tokenizer) == self.config.text.vocab_size:
            raise ConversionError(
                f"{self._originals.llama}: model.embed_tokens.weight has {embeddings} rows and "
                f"config.json says {self.config.text.vocab_size}, but tokenizer.model has "
                f"{len(self._tokenizer)} pieces."
            )

    def _tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        parts = (FACE_MAE, VIDEO_MAE)  # in files of their own
        total = sum(not name.startswith(parts) for name in tensor_shapes(self.config))
        tensors = itertools.chain(
            ((VISION + n, t) for n, t in vision.read_tensors(self._eva, self.config.vision)),
            ((AUDIO + n, t) for n, t in self._audio()),
            self._projections(),
            ((LANGUAGE + n, t) for n, t in self._language()),
        )
        yield from track(tensors, "Converting", total=total, transient=True)

    def _audio(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, shape in audio_shapes(self.config.audio).items():
            stored = name
            for old, new in _OLD_WEIGHT_NORM.items():
                if name not in self._hubert:
                    stored = stored.replace(new, old)
            yield name, self._hubert.take(stored, shape)

    def _projections(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, shape in projection_shapes(self.config).items():
            yield name, self._adapter.take(name, shape)

    def _language(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, shape in language_shapes(self.config.text).items():
            yield name, self._lora.merge(name, self._llama.take(name, shape))

    def _manifest(self, folder: Path) -> Manifest:
        self._lora.finish()
        originals = self._originals
        eva_sizes = originals.eva.with_name(vision.SIZES_FILE)
        return Manifest(
            made_by=f"emotion-llama {version('emotion-llama')}",
            inputs=describe_inputs(
                {
                    LLAMA: [*(originals.llama / n for n in LLAMA_FILES), *self._llama.files],
                    vision.ROLE: [originals.eva, *([eva_sizes] if eva_sizes.is_file() else [])],
                    HUBERT: [*(originals.hubert / n for n in HUBERT_FILES), *self._hubert.files],
                    adapter.ROLE: [originals.checkpoint],
                    **{encoder.kind.role: encoder.files for encoder in self._faces},
                }
            ),
            lora_rank=self._lora.rank,
            lora_alpha=self._lora_alpha,
            ignored=self._ignored(),
            files=hash_folder(folder),
        )

    def _ignored(self) -> dict[str, list[str]]:
        eva = self.config.vision
        return {
            LLAMA: self._llama.finish(adapter.is_ignored),
            vision.ROLE: self._eva.finish(lambda name: vision.is_ignored(name, eva)),
            HUBERT: self._hubert.finish(lambda name: name == "masked_spec_embed"),
            adapter.ROLE: self._adapter.finish(adapter.is_ignored),
            **{encoder.kind.role: encoder.finish() for encoder in self._faces},
        }


def _cast(
    tensors: Iterable[tuple[str, torch.Tensor]], dtype: torch.dtype
) -> Iterator[tuple[str, torch.Tensor]]:
    """Cast what is not quantized, and copy all.

    safetensors refuses tensors that share a storage, as in some files.
    """
    for name, tensor in tensors:
        kept = kept_dtype(name, dtype) if tensor.is_floating_point() else tensor.dtype
        yield name, tensor.to(kept, copy=True).contiguous()
