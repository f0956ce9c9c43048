"""Resampling: the samples that librosa computes, and none that are no numbers."""

import librosa
import numpy as np
import pytest

from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.sound.track import resample
from emotion_llama_vllm.media.errors import MediaError

RATES = [1000, 7350, 8000, 11_025, 12_345, 22_050, 32_000, 44_100, 48_000, 96_000, 768_000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [1, 2, 17, 441, 99_999])
def test_the_samples_equal_librosas_bit_for_bit(rate: int, samples: int) -> None:
    wave = np.random.default_rng(rate).standard_normal(samples).astype(np.float32)
    expected = librosa.resample(wave, orig_sr=rate, target_sr=SAMPLING_RATE)
    resampled = resample(wave, rate)
    assert resampled.dtype == np.float32
    np.testing.assert_array_equal(resampled, expected)


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
