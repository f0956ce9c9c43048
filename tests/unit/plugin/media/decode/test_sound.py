"""Resampling: the samples that librosa computes, and none that are no numbers."""

import numpy as np
import pytest

from devtools.paths import CHECKOUT
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.sound.track import resample
from emotion_llama_vllm.media.errors import MediaError

LIBROSAS = CHECKOUT / "tests/data/librosa_resampled.npz"
"""What `librosa.resample` of librosa 0.11.0 and soxr 1.1.0 returns for the waves of this test, each
under its rate and its number of samples."""
RATES = [1000, 7350, 8000, 11_025, 12_345, 22_050, 32_000, 44_100, 48_000, 96_000, 768_000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [1, 2, 17, 441, 999])
def test_the_samples_equal_librosas(rate: int, samples: int) -> None:
    """They are the same bits on the processor that made the file; others may round differently."""
    wave = np.random.default_rng(rate).standard_normal(samples).astype(np.float32)
    with np.load(LIBROSAS) as made:
        expected = made[f"{rate}_{samples}"]
    resampled = resample(wave, rate)
    assert resampled.dtype == np.float32
    np.testing.assert_allclose(resampled, expected, rtol=0, atol=2e-7)


def test_a_sound_at_the_networks_rate_stays_as_it_is() -> None:
    wave = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    np.testing.assert_array_equal(resample(wave, SAMPLING_RATE), wave)


@pytest.mark.parametrize("rate", [SAMPLING_RATE, 44_100])
@pytest.mark.parametrize("sample", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_finite_numbers_are_refused(rate: int, sample: float) -> None:
    wave = np.zeros(1000, np.float32)
    wave[500] = sample
    with pytest.raises(MediaError, match="finite"):
        resample(wave, rate)


def test_a_sound_without_a_rate_is_refused() -> None:
    with pytest.raises(MediaError, match="no sampling rate"):
        resample(np.zeros(10, np.float32), 0)
