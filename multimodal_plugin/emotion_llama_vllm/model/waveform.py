"""Computes HuBERT's convolutions on CPUs as matrix products over [time, channels].

transformers keeps [channels, time]. There oneDNN unfolds the input of every convolution, and every
layer norm, which is over the channels, needs two transposed copies.
"""

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F


class ChannelsLastFeatureEncoder(nn.Module):
    """Replaces transformers' HubertFeatureEncoder with layer norms; it reuses that one's layers.

    Names, values and shapes of the parameters stay, so that checkpoints load as before.
    """

    def __init__(self, conv_layers: nn.ModuleList) -> None:
        super().__init__()
        self.conv_layers: Any = conv_layers
        for layer in cast(Any, conv_layers):
            # `_convolve` reads the taps before the channels, so they are stored in this order.
            # Loaded weights are copied into these strides.
            layer.conv.weight.data = layer.conv.weight.data.mT.contiguous().mT

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        """Encode sounds one after the other.

        Args:
            input_values: float32 [sounds, samples], with at least `min_samples` samples.

        Returns:
            float32 [sounds, channels, frames], as a transposed view of the memory.
        """
        return torch.stack([self._encode(waveform) for waveform in input_values]).mT

    def _encode(self, waveform: torch.Tensor) -> torch.Tensor:
        """Encode one sound [samples] to [frames, channels]."""
        hidden = waveform[:, None]
        for layer in self.conv_layers:
            hidden = layer.activation(layer.layer_norm(_convolve(layer.conv, hidden)))
        return hidden


def _convolve(conv: nn.Conv1d, hidden: torch.Tensor) -> torch.Tensor:
    """Convolve contiguous [time, channels] to [fewer times, other channels].

    The taps are multiplied in groups of one stride. In such a group's view of the input, the rows
    are one stride apart, so they do not overlap, and BLAS reads them without a copy.
    """
    (kernel,), (stride,), channels = conv.kernel_size, conv.stride, conv.in_channels
    steps = (len(hidden) - kernel) // stride + 1
    weight = conv.weight.mT.flatten(1)

    def group(tap: int) -> tuple[torch.Tensor, torch.Tensor]:
        width = min(stride, kernel - tap) * channels
        rows = hidden[tap:].as_strided((steps, width), (stride * channels, 1))
        return rows, weight[:, tap * channels :][:, :width]

    out = F.linear(*group(0), conv.bias)
    for tap in range(stride, kernel, stride):
        rows, taps = group(tap)
        out.addmm_(rows, taps.T)
    return out
