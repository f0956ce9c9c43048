"""Draws a sheet of the face crops that are made of the demo's clips, for the documents.

`python -m devtools.face_sheet` writes it anew after the demo's clips have changed.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from devtools.paths import CHECKOUT
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.settings import MediaSettings

SHEET = CHECKOUT / "docs/pictures/face_crops.jpg"
CLIPS = ("happy_mixed", "neutral_mixed", "surprise_face")
COLUMNS = 8


def row(clip: Path) -> np.ndarray:
    """Return a few crops of a clip side by side."""
    crops = decode(clip.read_bytes(), face_rows=(0, 1), settings=MediaSettings()).face_crops
    if crops is None:
        raise SystemExit(f"{clip} shows no face.")
    chosen = np.linspace(0, len(crops) - 1, COLUMNS).astype(int)
    return np.hstack(list(crops[chosen]))


def main() -> None:
    """Write the sheet, with a row for each clip."""
    rows = [row(CHECKOUT / f"demo/clips/{name}.mp4") for name in CLIPS]
    Image.fromarray(np.vstack(rows)).save(SHEET, quality=85, optimize=True)


if __name__ == "__main__":
    main()
