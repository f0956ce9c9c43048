"""vLLM's view of a clip: its place in the prompt and its key in the cache."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast
from vllm.config import ModelConfig
from vllm.exceptions import VLLMValidationError
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.media.base import MediaWithBytes
from vllm.multimodal.processing import ProcessorInputs, TimingContext

from devtools.media import make_clip, picture, tone
from devtools.small_checkpoint import write_random_checkpoint
from emotion_llama_vllm import register
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.model.faces import FRAMES_AT_ONCE
from emotion_llama_vllm.settings import MediaSettings

FRAMES = picture(80, 60)[None]
WAVEFORM = tone(0.5, 16_000, 1, 300)[0]
CROPS = np.stack([picture(112, 112, seed=seed) for seed in range(2)])
CLIP = "<video><unk></video>"


@pytest.fixture(scope="module")
def processor(checkpoint: Path) -> Any:
    register()
    return MULTIMODAL_REGISTRY.create_processor(ModelConfig(model=str(checkpoint)))


@pytest.fixture
def process(processor: Any, tokenizer: PreTrainedTokenizerFast) -> Any:
    def process(item: Any, prompt: str = f"<s>[INST] {CLIP} x [/INST]") -> Any:
        inputs = ProcessorInputs(
            prompt=tokenizer.encode(prompt, add_special_tokens=False),
            mm_data_items=processor.info.parse_mm_data({"video": [item]}),
        )
        return processor.apply(inputs, TimingContext(enabled=False))

    return process


def test_the_clip_takes_its_positions_and_nothing_else(
    process: Any, config: EmotionLlamaConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    made = process((FRAMES, {}))
    ids = made["prompt_token_ids"]
    (place,) = made["mm_placeholders"]["video"]
    marked = [place.offset + i for i in place.is_embed.nonzero().flatten().tolist()]
    assert [ids[i] for i in marked] == [config.video_token_id] * config.embeddings_per_clip
    before = tokenizer.encode("<s>[INST] <video>", add_special_tokens=False)
    after = tokenizer.encode("</video> x [/INST]", add_special_tokens=False)
    assert ids == before + [config.video_token_id] * config.embeddings_per_clip + after


def test_an_earlier_lone_placeholder_does_not_capture_the_clip(
    process: Any, config: EmotionLlamaConfig
) -> None:
    made = process((FRAMES, {}), f"<s><unk> and <unk><s>[INST] {CLIP} x")
    (place,) = made["mm_placeholders"]["video"]
    ids = made["prompt_token_ids"]
    assert ids[1] == config.video_token_id
    assert place.offset > ids.index(1, 1)


def test_a_prompt_that_lost_the_clips_place_is_refused(process: Any) -> None:
    with pytest.raises(VLLMValidationError, match="lost the place of its clip"):
        process((FRAMES, {}), "<s>[INST] no clip [/INST]")


def key(process: Any, item: Any) -> str:
    return process(item)["mm_hashes"]["video"][0]


def test_clips_that_share_a_frame_and_differ_otherwise_have_other_keys(
    process: Any, config: EmotionLlamaConfig
) -> None:
    features = np.zeros((3, config.feature_size), np.float32)
    louder = WAVEFORM * np.float32(1.001)
    items = [
        (FRAMES, {}),
        (FRAMES, {"waveform": WAVEFORM, "sampling_rate": 16_000}),
        (FRAMES, {"waveform": louder, "sampling_rate": 16_000}),
        (FRAMES, {"waveform": WAVEFORM, "sampling_rate": 48_000}),
        (FRAMES, {"waveform": WAVEFORM[:-1], "sampling_rate": 16_000}),
        (FRAMES, {"features": features}),
        (FRAMES, {"features": features + np.float32(1e-6)}),
        (FRAMES, {"face_crops": CROPS}),
        (FRAMES, {"face_crops": CROPS[:1]}),
        (FRAMES, {"face_crops": 255 - CROPS}),
        (255 - FRAMES, {}),
    ]
    keys = [key(process, item) for item in items]
    assert len(set(keys)) == len(items)
    assert key(process, (FRAMES.copy(), {"features": features.copy()})) == keys[5]


def test_two_reads_of_a_file_share_a_key_and_other_bytes_do_not(process: Any) -> None:
    data = make_clip()
    clip = decode(data, settings=MediaSettings())
    first = MediaWithBytes((clip.frame[None], clip.metadata()), data)
    again = decode(data, settings=MediaSettings())
    second = MediaWithBytes((again.frame[None], again.metadata()), data)
    assert key(process, first) == key(process, second)


def test_small_frames_of_large_files_still_differ_by_their_sound(process: Any) -> None:
    # vLLM hashes the frame and not the file where the frame is the smaller of the two.
    file = bytes(FRAMES.nbytes + 1)
    items = [
        MediaWithBytes((FRAMES, {"waveform": WAVEFORM * np.float32(gain)}), file)
        for gain in (1.0, 0.5)
    ]
    assert key(process, items[0]) != key(process, items[1])


@pytest.mark.parametrize(
    ("modality", "count", "words"),
    [("image", 1, "send the picture as"), ("audio", 1, "an audio part"), ("video", 2, "one clip")],
)
def test_other_parts_are_refused_with_what_to_send_instead(
    processor: Any, modality: str, count: int, words: str
) -> None:
    with pytest.raises(VLLMValidationError, match=words):
        processor.info.validate_num_items(modality, count)


def test_a_checkpoint_with_face_encoders_reads_crops(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    write_random_checkpoint(tmp_path / "faces", has_faces=True)
    model = ModelConfig(model=str(tmp_path / "faces"))
    processor: Any = MULTIMODAL_REGISTRY.create_processor(model)
    ids = tokenizer.encode(f"<s>[INST] {CLIP} x [/INST]", add_special_tokens=False)
    for crops in (CROPS, CROPS[:0]):
        metadata = {"face_crops": crops} if len(crops) else {}
        items = processor.info.parse_mm_data({"video": [(FRAMES, metadata)]})
        inputs = ProcessorInputs(prompt=ids, mm_data_items=items)
        made = processor.apply(inputs, TimingContext(enabled=False))
        [item] = made["mm_kwargs"]["video"]
        np.testing.assert_array_equal(item["face_crops"].data.numpy(), crops)
    made = processor.get_dummy_mm_inputs({"video": 1})
    [dummy] = made["mm_kwargs"]["video"]
    assert len(dummy["face_crops"].data) == FRAMES_AT_ONCE
    assert dummy["features"].data[:2].isnan().all()  # so that both encoders run


def test_dummy_inputs_are_as_large_as_a_request_can_be(
    processor: Any, config: EmotionLlamaConfig
) -> None:
    inputs = processor.get_dummy_mm_inputs({"video": 1})
    (place,) = inputs["mm_placeholders"]["video"]
    assert place.get_num_embeds() == config.embeddings_per_clip
    (item,) = inputs["mm_kwargs"]["video"]
    assert len(item["input_values"].data) == MediaSettings().max_audio_seconds * 16_000
