"""Computes the spectrum of a sound; the sound encoder learns it beside the emotion."""

import torch
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank

from demo.speech.voice import SAMPLE_RATE

BANDS = 48
FRAME, HOP = 400, 320
"""The samples in one frame of HuBERT, and the samples from one frame to the next."""
POINTS = 1024
FLOOR = 1e-2

_BINS, _HIGHEST = POINTS // 2 + 1, SAMPLE_RATE / 2
_FILTERS = mel_filter_bank(
    *(_BINS, BANDS, 0, _HIGHEST, SAMPLE_RATE), norm="slaney", mel_scale="slaney"
)
_MEL = torch.from_numpy(_FILTERS.T).float()
_WINDOW = F.pad(torch.hann_window(FRAME), (0, POINTS - FRAME))


def log_mel(sounds: torch.Tensor) -> torch.Tensor:
    """Compute the log mel spectrum of each frame: float32 [N, samples] to [N, frames, BANDS]."""
    frames = (sounds.shape[-1] - FRAME) // HOP + 1
    padded = F.pad(sounds, (0, POINTS - FRAME))
    spectrum = torch.stft(padded, POINTS, HOP, window=_WINDOW, center=False, return_complex=True)
    return torch.log(_MEL @ spectrum.abs()[..., :frames] + FLOOR).transpose(1, 2)
