"""Draws the small pictures that stand for the samples on the page: the first frame of each clip.

`python -m devtools.page_posters` writes them anew after the demo's clips have changed.
"""

from pathlib import Path

import av
from PIL import Image

from devtools.paths import CHECKOUT
from emotion_llama_vllm import demo_files

POSTERS = CHECKOUT / "clients/page/posters"
_SIDE = 160
"""The width and height in pixels: twice what the page shows, for dense screens."""


def poster(clip: Path) -> Image.Image:
    """Return the first frame of a clip."""
    with av.open(str(clip)) as container:
        return next(container.decode(video=0)).to_image().resize((_SIDE, _SIDE))


def main() -> None:
    """Write the picture of each clip."""
    POSTERS.mkdir(exist_ok=True)
    for clip in sorted(demo_files.clips().glob("*.mp4")):
        poster(clip).save(POSTERS / f"{clip.stem}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
