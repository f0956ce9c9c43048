"""Turns a decoded clip into the network's inputs, and finds its place in the prompt."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from transformers import BatchFeature
from vllm.exceptions import VLLMValidationError
from vllm.inputs import MultiModalDataDict
from vllm.multimodal.inputs import MultiModalFieldConfig, MultiModalKwargsItems
from vllm.multimodal.parse import MultiModalDataItems, MultiModalDataParser
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
    PromptUpdate,
    PromptUpdateDetails,
)

from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.npz import (
    AUDIO_ROW,
    CROP,
    FEATURE_NAMES,
    check_face_crops,
    check_features,
)
from emotion_llama_vllm.media.decode.picture.pixels import resize
from emotion_llama_vllm.media.decode.sound.track import check_seconds, resample
from emotion_llama_vllm.model.audio import min_samples
from emotion_llama_vllm.model.faces import FRAMES_AT_ONCE
from emotion_llama_vllm.settings import media_settings

PLACEHOLDER = "<unk>"
"""The clip's placeholder in the prompt; the chat template writes it between these two tags."""
BEFORE_CLIP, AFTER_CLIP = "<video>", "</video>"

_INSTEAD = {
    "image": (
        "Emotion-LLaMA takes a video, not an image: send the picture as "
        '{"type": "video_url", "video_url": {"url": ...}}; '
        "a PNG or JPEG counts as a clip of one frame without sound."
    ),
    "audio": (
        "Emotion-LLaMA takes a video, not an audio part: send the sound as "
        '{"type": "video_url", "video_url": {"url": ...}}; '
        "a WAV, MP3, M4A, OGG or FLAC counts as a clip with a black picture."
    ),
    "video": (
        "A conversation is about one clip: send one video part in the whole conversation, "
        "and a request of its own for each further clip."
    ),
}


class EmotionLlamaProcessingInfo(BaseProcessingInfo):
    """Describes the model's inputs to vLLM."""

    def get_hf_config(self) -> EmotionLlamaConfig:
        return self.ctx.get_hf_config(EmotionLlamaConfig)

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        return {"video": 1}

    def get_mm_max_tokens_per_item(
        self, seq_len: int, mm_counts: Mapping[str, int]
    ) -> Mapping[str, int]:
        return {"video": self.get_hf_config().embeddings_per_clip}

    def get_data_parser(self) -> MultiModalDataParser:
        # The metadata holds the waveform, and vLLM's cache key must cover both.
        return MultiModalDataParser(video_needs_metadata=True)

    def validate_num_items(self, modality: str, num_items: int) -> None:
        if modality in _INSTEAD and num_items > (modality == "video"):
            raise VLLMValidationError(_INSTEAD[modality], parameter="messages")
        super().validate_num_items(modality, num_items)


class EmotionLlamaDummyInputsBuilder(BaseDummyInputsBuilder[EmotionLlamaProcessingInfo]):
    """Builds the largest clip that a request can contain, with which vLLM measures memory."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        return f"{BEFORE_CLIP}{PLACEHOLDER}{AFTER_CLIP}" * mm_counts.get("video", 0)

    def get_dummy_mm_data(
        self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Mapping[str, Any]
    ) -> MultiModalDataDict:
        size = self.info.get_hf_config().vision.image_size
        frames = np.zeros((1, size, size, 3), np.uint8)
        samples = int(media_settings().max_audio_seconds * SAMPLING_RATE)
        metadata = {
            "waveform": np.zeros(samples, np.float32),
            "sampling_rate": SAMPLING_RATE,
            # More of them take more time, but hardly more memory.
            "face_crops": np.zeros((FRAMES_AT_ONCE, CROP, CROP, 3), np.uint8),
        }
        return {"video": [(frames, metadata)] * mm_counts.get("video", 0)}


class EmotionLlamaMultiModalProcessor(BaseMultiModalProcessor[EmotionLlamaProcessingInfo]):
    """Turns clips into tensors, and each placeholder into one position for each embedding."""

    def _call_hf_processor(
        self, hf_data: Mapping[str, object], hf_kwargs: Mapping[str, object]
    ) -> BatchFeature:
        # vLLM's own call would cast pixels and waveform to the model's dtype.
        config = self.info.get_hf_config()
        videos = cast(Sequence[tuple[Any, dict[str, Any]]], hf_data["videos"])
        clips = [preprocess(frames, metadata, config) for frames, metadata in videos]
        return BatchFeature({name: [clip[name] for clip in clips] for name in clips[0]})

    def _get_mm_fields_config(
        self, hf_inputs: BatchFeature, hf_processor_mm_kwargs: Mapping[str, object]
    ) -> Mapping[str, MultiModalFieldConfig]:
        return {name: MultiModalFieldConfig.batched("video") for name in hf_inputs}

    def _get_prompt_updates(
        self,
        mm_items: MultiModalDataItems,
        hf_processor_mm_kwargs: Mapping[str, object],
        out_mm_kwargs: MultiModalKwargsItems,
    ) -> Sequence[PromptUpdate]:
        # The match needs the neighbours, because an unknown character has the placeholder's id
        # too.
        config = self.info.get_hf_config()
        tokenizer = self.info.get_tokenizer()
        before = tokenizer.encode(BEFORE_CLIP, add_special_tokens=False)
        after = tokenizer.encode(AFTER_CLIP, add_special_tokens=False)
        clip = [config.video_token_id]
        return [
            PromptReplacement(
                modality="video",
                target=[*before, *clip, *after],
                replacement=PromptUpdateDetails.select_token_id(
                    [*before, *clip * config.embeddings_per_clip, *after], config.video_token_id
                ),
            )
        ]

    def _apply_prompt_updates_via_text(self, *args: Any, **kwargs: Any) -> Any:
        # vLLM falls back to this if it finds no placeholder among the ids; text cannot restore
        # it.
        raise VLLMValidationError(
            "The prompt has lost the place of its clip: shorten the text instead of cutting the "
            "prompt with truncate_prompt_tokens.",
            parameter="truncate_prompt_tokens",
        )


def preprocess(
    frames: npt.NDArray[np.uint8], metadata: Mapping[str, Any], config: EmotionLlamaConfig
) -> dict[str, torch.Tensor]:
    """Make the network's inputs from one decoded clip.

    Args:
        frames: RGB [1, height, width, 3].
        metadata: `waveform` (float32 [samples] mono; absent or None means no sound), its
            `sampling_rate` in Hz, optionally `features` (float32 [3, feature_size]; a row of NaN
            means that it is absent) and `face_crops` (uint8 [frames, CROP, CROP, 3]).
        config: the checkpoint's configuration.

    Returns:
        `pixel_values` uint8 [3, image_size, image_size], `input_values` float32 [samples],
            `features` float32 [3, feature_size], whose rows of NaN the network computes;
            `face_crops` uint8 [frames, CROP, CROP, 3] if the checkpoint has a face encoder,
            [0, CROP, CROP, 3] if no row of this clip is computed from them.

    Raises:
        VLLMValidationError: an array has the wrong type, shape or values.
        MediaError: the sound is too long, or the features or the face crops are invalid.
    """
    crops = _face_crops(metadata)
    features = _features(metadata.get("features"), config, len(crops) > 0)
    waveform = _waveform(metadata)
    if waveform is None and np.isnan(features[AUDIO_ROW]).any():
        features[AUDIO_ROW] = 0
    if waveform is None or not np.isnan(features[AUDIO_ROW]).any():
        input_values = np.zeros(1, np.float32)  # HuBERT does not read it
    else:
        input_values = normalise(waveform, min_samples(config.audio))
    inputs = {
        "pixel_values": torch.from_numpy(_pixels(frames, config.vision.image_size)),
        "input_values": torch.from_numpy(input_values),
        "features": torch.from_numpy(features),
    }
    if config.face_rows:
        is_read = np.isnan(features[config.face_rows]).any()
        inputs["face_crops"] = torch.from_numpy(crops if is_read else crops[:0])
    return inputs


def normalise(waveform: npt.NDArray[np.float32], at_least: int) -> npt.NDArray[np.float32]:
    """Scale to zero mean and unit variance in float32, as Wav2Vec2FeatureExtractor does.

    A sound that is too short for one frame of HuBERT is padded with silence to `at_least` samples.
    """
    normalised = (waveform - waveform.mean()) / np.sqrt(waveform.var() + np.float32(1e-7))
    return np.pad(normalised, (0, max(0, at_least - len(normalised))))


def _pixels(frames: object, size: int) -> npt.NDArray[np.uint8]:
    if (
        not isinstance(frames, np.ndarray)
        or frames.dtype != np.uint8
        or frames.ndim != 4
        or frames.shape[0] != 1
        or frames.shape[-1] != 3
    ):
        raise VLLMValidationError("A decoded clip is one RGB frame: uint8 [1, height, width, 3].")
    # A decode worker has resized the frame already: then this only copies.
    return np.ascontiguousarray(resize(frames[0], size).transpose(2, 0, 1))


def _waveform(metadata: Mapping[str, Any]) -> npt.NDArray[np.float32] | None:
    waveform = metadata.get("waveform")
    if waveform is None:
        return None
    rate = metadata.get("sampling_rate", SAMPLING_RATE)
    if not isinstance(waveform, np.ndarray) or waveform.dtype != np.float32 or waveform.ndim != 1:
        raise VLLMValidationError("`waveform` must be mono sound: float32 [samples].")
    if not len(waveform) or not np.isfinite(waveform).all():
        raise VLLMValidationError("`waveform` must hold finite samples; leave it out for no sound.")
    if not isinstance(rate, int | float) or not 1000 <= rate <= 768_000:
        raise VLLMValidationError("`sampling_rate` must be in Hz, from 1000 to 768000.")
    check_seconds(len(waveform) / rate, media_settings().max_audio_seconds)
    return resample(waveform, rate)


def _face_crops(metadata: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    crops = metadata.get("face_crops")
    if crops is None:
        return np.zeros((0, CROP, CROP, 3), np.uint8)
    return check_face_crops(crops, media_settings().max_face_crops)


def _features(
    features: object, config: EmotionLlamaConfig, has_crops: bool
) -> npt.NDArray[np.float32]:
    """Return feature rows in which an absent row is NaN if it is computed, and zeros if not."""
    rows, size = len(FEATURE_NAMES), config.feature_size
    if features is None:
        complete = np.full((rows, size), np.nan, np.float32)
    else:
        complete = check_features(features).copy()
    if complete.shape[1] != size:
        raise VLLMValidationError(
            f"`features` must be float32 [{rows}, {size}] for this checkpoint, "
            f"not [{rows}, {complete.shape[1]}]."
        )
    absent = np.atleast_1d(np.isnan(complete).all(axis=1))
    absent[[AUDIO_ROW, *(config.face_rows if has_crops else ())]] = False
    complete[absent] = 0
    return complete
