"""Encodes waveforms with HuBERT into one vector each: the mean of the last hidden state.

Source: `conversation.py:260-276` of the original, in float32 as there, but for many clips at once.
"""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import nn
from transformers import AutoModel, HubertConfig, HubertModel

from emotion_llama_vllm.model.waveform import ChannelsLastFeatureEncoder

_MAX_PADDING = 0.25
"""The maximum share of padding in a batch; sounds of similar length share a batch."""
MOST_SAMPLES = 60 * 16_000
"""The maximum number of samples in a batch, with padding. The convolutions need 21 MiB for a second
at full size, and vLLM measures memory with as many of the longest sounds as a step may hold."""
_CONV_COPIES = 3.5
"""The peak memory of the convolutions, as a multiple of the first one's output: that of
transformers' HubertFeatureEncoder on a CPU (torch 2.13)."""


class HubertMean(nn.Module):
    """Computes the mean of HuBERT's output over the frames that are not padding."""

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.hubert: HubertModel = AutoModel.from_config(
            config, dtype=torch.float32, attn_implementation="sdpa"
        )
        # HuBERT's group norm runs over time, so padding would change the valid frames.
        self._can_pad = config.feat_extract_norm == "layer"
        # Our convolutions were measured on CPUs only, so GPUs keep those of transformers.
        if self._can_pad and self._device.type == "cpu":
            encoder = ChannelsLastFeatureEncoder(self.hubert.feature_extractor.conv_layers)
            self.hubert.feature_extractor = encoder  # type: ignore[assignment]

    def forward(self, waveforms: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return one feature vector for each normalised 16 kHz waveform.

        Args:
            waveforms: float32 [samples] each, of any lengths.

        Returns:
            float32 [waveforms, hidden size].
        """
        device = self._device
        features = torch.empty(
            len(waveforms), self.hubert.config.hidden_size, dtype=torch.float32, device=device
        )
        for batch in _batches([len(waveform) for waveform in waveforms], self._can_pad):
            features[batch] = self._mean([waveforms[index].to(device) for index in batch])
        return features

    @property
    def _device(self) -> torch.device:
        """Return the device of the weights.

        `hubert.device` is no use: its first parameter, for masked frames, is always on the CPU.
        """
        return self.hubert.feature_projection.projection.weight.device

    def _mean(self, waveforms: Sequence[torch.Tensor]) -> torch.Tensor:
        padded = nn.utils.rnn.pad_sequence(list(waveforms), batch_first=True).float()
        lengths = torch.tensor([len(waveform) for waveform in waveforms], device=padded.device)
        if (lengths == padded.shape[1]).all():
            return self.hubert(padded).last_hidden_state.mean(dim=1)
        samples = torch.arange(padded.shape[1], device=padded.device)
        hidden = self.hubert(
            padded, attention_mask=(samples < lengths[:, None]).long()
        ).last_hidden_state
        frames = num_frames(self.hubert.config, lengths)
        valid = torch.arange(hidden.shape[1], device=hidden.device) < frames[:, None]
        return (hidden * valid[..., None]).sum(dim=1) / frames[:, None]

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """Copy every tensor of the checkpoint, in float32."""
        own = dict(self.hubert.named_parameters())
        loaded = set()
        for name, tensor in weights:
            own[name].data.copy_(tensor)
            loaded.add(f"hubert.{name}")
        return loaded


def num_frames(config: HubertConfig, samples: torch.Tensor) -> torch.Tensor:
    """Return how many frames HuBERT's convolutions make of this number of samples."""
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def convolution_bytes(config: HubertConfig, samples: int) -> int:
    """Return the bytes to encode this many samples; the convolutions need the most by far."""
    frames = samples / config.conv_stride[0]
    return int(_CONV_COPIES * frames * config.conv_dim[0] * torch.float32.itemsize)


def min_samples(config: HubertConfig) -> int:
    """Return the smallest number of samples that makes one frame (400 at the usual sizes)."""
    samples = 1
    for kernel, stride in zip(
        reversed(config.conv_kernel), reversed(config.conv_stride), strict=True
    ):
        samples = (samples - 1) * stride + kernel
    return samples


def _batches(lengths: Sequence[int], can_pad: bool) -> Iterator[list[int]]:
    """Group the indices of similar lengths, so that padding costs little."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    while order:
        longest = lengths[order[-1]]
        batch = [order.pop()]
        shortest = longest * (1 - _MAX_PADDING) if can_pad else longest
        most = max(1, MOST_SAMPLES // longest)
        while order and lengths[order[-1]] >= shortest and len(batch) < most:
            batch.append(order.pop())
        yield batch
