"""Takes the picture of the page that the documents show, of a server that serves the demo.

`.venv/bin/python -m devtools.page_picture http://127.0.0.1:7889`; it needs Chromium.
"""

import shutil
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from playwright.sync_api import sync_playwright

from devtools.paths import CHECKOUT
from emotion_llama_vllm import demo_files

PICTURE = CHECKOUT / "docs/pictures/page.png"
_SAMPLES = ("happy_face", "sad_face", "surprise_face")
_RATE = 12
"""The samples' frames per second."""


def join(clips: Sequence[Path], target: Path) -> None:
    """Write one clip that shows several, each after the one before."""
    with av.open(str(target), "w") as made:
        picture = made.add_stream("libx264", rate=_RATE, options={"crf": "18"})
        picture.width = picture.height = 224
        picture.pix_fmt = "yuv420p"
        sound = made.add_stream("aac", rate=48_000, layout="mono")
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        shown = 0
        for clip in clips:
            with av.open(str(clip)) as source:
                for frame in source.decode(video=0):
                    frame.pts, frame.time_base = shown, Fraction(1, _RATE)
                    made.mux(picture.encode(frame))
                    shown += 1
            with av.open(str(clip)) as source:
                for heard in source.decode(audio=0):
                    heard.pts = None
                    for frame in resampler.resample(heard):
                        made.mux(sound.encode(frame))
        made.mux([*picture.encode(None), *sound.encode(None)])


def take(url: str, clip: Path) -> None:
    """Write the picture of the page with the answer about a clip."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1260}, locale="en-GB")
        page.goto(url)
        page.locator("#file").set_input_files(clip)
        page.locator("#analyse").click()
        page.get_by_role("heading", name="Evidence").wait_for(timeout=60_000)
        position = page.locator(".tl").get_by_role("slider", name="Position in the clip")
        position.fill("3.7")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        clip = Path(folder) / "three_faces.mp4"
        join([demo_files.clips() / f"{name}.mp4" for name in _SAMPLES], clip)
        PICTURE.parent.mkdir(exist_ok=True)
        take(sys.argv[1], clip)
