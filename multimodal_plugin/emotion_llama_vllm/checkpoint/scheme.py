"""Names the schemes in which a checkpoint can be quantized."""

import enum


class Scheme(enum.StrEnum):
    """Lists the schemes by the bits of the weights and of the activations."""

    W8A16 = "w8a16"
    W4A16 = "w4a16"
    W8A8 = "w8a8"

    @property
    def weight_bits(self) -> int:
        return int(self.value[1])
