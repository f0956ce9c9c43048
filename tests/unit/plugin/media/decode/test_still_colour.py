"""Still pictures of every mode become what a viewer shows."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from devtools.media import picture
from emotion_llama_vllm.media.decode.picture.still_colour import to_rgb

COLOURS = Image.fromarray(picture(32, 24))
GREY = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 85


def saved(image: Image.Image, ending: str = "PNG", **options: Any) -> Image.Image:
    """Return a picture as it is opened from a file."""
    data = io.BytesIO()
    image.save(data, ending, **options)
    data.seek(0)
    return Image.open(data)


def shown(image: Image.Image) -> np.ndarray:
    made = to_rgb(image)
    assert made.mode == "RGB"
    return np.asarray(made).astype(int)


def test_sixteen_bits_keep_their_brightness() -> None:
    image = saved(Image.fromarray(GREY))
    assert image.mode.startswith("I")
    np.testing.assert_allclose(shown(image)[..., 0], GREY / 257, atol=0.51)


def test_sixteen_bits_of_colour_keep_their_brightness() -> None:
    wide = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
    data = cv2.imencode(".png", wide[..., ::-1])[1].tobytes()
    np.testing.assert_allclose(shown(Image.open(io.BytesIO(data))), wide / 257, atol=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV"])
def test_a_picture_without_transparency_is_as_pillow_converts_it(mode: str) -> None:
    image = COLOURS.convert(mode)
    np.testing.assert_array_equal(shown(image), np.asarray(image.convert("RGB")))


def test_fractions_and_wide_integers_are_shown() -> None:
    np.testing.assert_allclose(
        shown(Image.fromarray((GREY / 65535).astype(np.float32)))[..., 1], GREY / 257, atol=0.51
    )
    wide = Image.fromarray(GREY.astype(np.int32))
    assert wide.mode == "I"
    np.testing.assert_allclose(shown(wide)[..., 2], GREY / 257, atol=0.51)


def half_clear(mode: str) -> Image.Image:
    """Return dark pixels that are clear on the left and opaque on the right."""
    image = Image.new("LA", (8, 4), (20, 0))
    image.paste((20, 255), (4, 0, 8, 4))
    return image.convert(mode)


def with_clear_colour(mode: str, clear: Any) -> Image.Image:
    image = Image.new(mode, (8, 4), clear)
    image.paste(20 if mode != "RGB" else (20, 20, 20), (4, 0, 8, 4))
    return saved(image, transparency=clear)


CLEAR: dict[str, Callable[[], Image.Image]] = {
    "LA": lambda: saved(half_clear("LA")),
    "RGBA": lambda: saved(half_clear("RGBA")),
    "RGBa": lambda: half_clear("RGBA").convert("RGBa"),
    "palette": lambda: saved(half_clear("RGBA").quantize(4)),
    "grey, one of them clear": lambda: with_clear_colour("L", 40),
    "colours, one of them clear": lambda: with_clear_colour("RGB", (40, 1, 1)),
}


@pytest.mark.parametrize("name", CLEAR)
def test_what_is_transparent_shows_a_white_page(name: str) -> None:
    pixels = shown(CLEAR[name]())
    assert (pixels[:, :4] == 255).all()
    assert (abs(pixels[:, 4:] - 20) <= 1).all()


def test_a_clear_value_of_sixteen_bits_shows_a_white_page() -> None:
    values = np.full((4, 8), 40 * 257, np.uint16)
    values[:, 4:] = 20 * 257
    pixels = shown(saved(Image.fromarray(values), transparency=40 * 257))
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 4:] == 20).all()


def test_half_transparent_is_half_as_dark() -> None:
    pixels = shown(Image.new("RGBA", (2, 2), (0, 0, 0, 128)))
    assert (abs(pixels - 127) <= 1).all()
