"""Converts a still picture of any mode to the colours that a viewer shows."""

import numpy as np
from PIL import Image

from emotion_llama_vllm.media.errors import MediaError

_PAGE = (255, 255, 255, 255)
"""The colour behind a transparent picture: a white page, as in a browser."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the picture in the mode RGB.

    Pillow's own conversion cuts values off at eight bits, and shows the colours that programs leave
    behind transparent pixels.

    Raises:
        MediaError: the picture's pixels are numbers of a palette that it does not have.
    """
    if image.mode in ("P", "PA") and image.palette is None:
        raise MediaError("The picture is damaged: it has no palette.")
    if image.mode == "F" or image.mode.startswith("I"):
        image = _in_eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _PAGE), image)
    return image.convert("RGB")


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of wider values in eight bits, with its transparency.

    Integers have 16 bits, even if Pillow opens them with 32; fractions range from 0 to 1.
    """
    values = np.asarray(image, np.float64)
    white = 1.0 if image.mode == "F" else 65535.0
    grey = Image.fromarray(np.uint8(np.clip(values / white, 0, 1) * 255 + 0.5))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.uint8(values != transparent) * 255))
    return grey
