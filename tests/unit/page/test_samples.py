"""The samples of the page: the demo's clips, with their words and their pictures."""

import csv
import re

import pytest
from PIL import Image, ImageChops, ImageStat

from devtools.page_posters import POSTERS, poster
from devtools.paths import CHECKOUT
from emotion_llama_vllm import demo_files

TEXT = (CHECKOUT / "clients/page/media/samples.js").read_text(encoding="utf-8")
SAMPLES = dict(re.findall(r"\{ name: '(\w+)', transcript: '([^']*)' \}", TEXT))


def test_the_samples_are_the_demos_clips_with_their_words() -> None:
    with (demo_files.clips() / "labels.csv").open(encoding="utf-8", newline="") as lines:
        words = {row["name"]: row["transcript"] for row in csv.DictReader(lines)}
    assert words == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_shows_the_clip(name: str) -> None:
    """Run `python -m devtools.page_posters` after a change of the clips."""
    drawn = poster(demo_files.clips() / f"{name}.mp4")
    with Image.open(POSTERS / f"{name}.jpg") as kept:
        difference = ImageStat.Stat(ImageChops.difference(drawn, kept.convert("RGB")))
    assert max(difference.mean) < 8
