"""The parts of the benchmarks that decide or tell something."""

from pathlib import Path

import av
import pytest

from benchmarks import tables
from benchmarks.harness.clips import VIDEOS, Video, make_clip, new_clips
from benchmarks.quantization_7b import Answer, compare
from benchmarks.quick import fallen
from benchmarks.throughput import ratios
from devtools.random_checkpoint import midsize_config, parameters
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_documents_tables_are_those_of_the_committed_results(language: str) -> None:
    text = (tables.DOCS / language / "performance.md").read_text(encoding="utf-8")
    found = tables.read()
    assert tables.fill_in(text, found, chinese=language == "zh") == text
    for name in tables.TABLES:
        assert f"<!-- table: {name} -->\n|" in text


def test_a_ratio_that_halved_is_told() -> None:
    committed = {"server_against_b": 3.0, "preprocessing": 8.0}
    assert not fallen({"server_against_b": 1.6, "preprocessing": 9.0}, committed)
    (sentence,) = fallen({"server_against_b": 1.4, "preprocessing": 9.0}, committed)
    assert sentence == "server_against_b is 1.40; it was 3.00."


def test_the_bound_is_what_batching_cannot_shorten() -> None:
    seconds = {
        "a": 12.0,
        "a_encoders": 4.0,
        "b": 10.0,
        "b_encoders": 2.0,
        "server": 3.0,
        "server_one_by_one": 5.0,
        "text": 2.0,
    }
    found = ratios(seconds)
    assert found["batching_gain_of_text"] == pytest.approx(8 / 2)
    assert found["bound_against_b"] == pytest.approx(10 / (2 + 8 / 4))
    assert found["bound_against_a"] == pytest.approx(12 / (4 + 8 / 4))
    assert found["server_against_a"] == 4
    assert found["one_by_one_against_b"] == 2


def test_answers_of_a_quantized_network_are_compared_token_by_token() -> None:
    whole = Answer(log_probabilities=[-1.0, -2.0, -0.7], tokens=[4, 5, 6])
    moved = Answer(log_probabilities=[-1.1, -2.1, -0.8], tokens=[4, 9, 6])
    found = compare([moved, whole], [whole, whole])
    assert found["same_first_token"] == 1
    assert found["same_tokens_of_16"] == (1 + 3) / 2
    assert found["correlation_of_log_probabilities"] == 1
    assert found["largest_change_of_log_probability"] == 0.1


def test_the_midsize_checkpoint_has_the_real_ones_shares() -> None:
    config = midsize_config()
    counts = parameters(config)
    assert 100e6 < sum(counts.values()) < 300e6
    assert counts["vision"] / counts["llama"] == pytest.approx(986 / 6738, rel=0.1)
    assert counts["hubert"] / counts["llama"] == pytest.approx(316 / 6738, rel=0.1)
    assert config.embeddings_per_clip == 260


def test_clips_are_what_their_names_say_and_all_different(tmp_path: Path) -> None:
    first, again = (make_clip(Video("360p", 2), seed) for seed in (1, 2))
    assert first != again
    with av.open(str(new_clips(tmp_path, 1, first=len(VIDEOS))[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 25 * VIDEOS[0].seconds
    clip = decode(first, settings=MediaSettings())
    assert clip.frame.shape == (360, 640, 3)
    assert clip.audio_seconds == pytest.approx(2, abs=0.05)
