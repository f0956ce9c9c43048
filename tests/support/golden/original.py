"""Reads the golden data: results of the original's own code with small random weights.

`tests/data/golden/NOTES.md` describes each file.
"""

import json
import wave
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from devtools.paths import CHECKOUT
from emotion_llama_vllm.checkpoint.convert import Originals

FOLDER = CHECKOUT / "tests" / "data" / "golden"
ORIGINALS = Originals(
    llama=FOLDER / "llama",
    eva=FOLDER / "eva_vit_g.pth",
    hubert=FOLDER / "hubert",
    checkpoint=FOLDER / "Emotion_LLaMA.pth",
)
CLIP_TEXT = "<video><VideoHere></video> <feature><FeatureHere></feature>"
RUNS = {"greedy": 1.0, "greedy_rp105": 1.05}
"""Maps each run to its repetition penalty."""

TRUNCATED = ("case_04", "case_05", "case_06")
"""The cases in which the original cut the picture off, which we never do."""
TYPED_SPECIALS = "case_13"
"""The case in which a user's special tokens took effect, which they never do in ours."""


@dataclass(frozen=True)
class Case:
    """Represents one recorded request."""

    name: str
    prefix: str = ""
    """The prefix of its arrays, because a batch has several rows in one file."""
    facts: Any = None

    @property
    def style(self) -> str:
        return "demo" if self.facts.get("turns") else "eval"

    @property
    def runs(self) -> dict[str, Any]:
        return {name: self.facts["runs"][name] for name in RUNS if name in self.facts["runs"]}

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        stored = np.load(FOLDER / f"{self.name.split('/')[0]}.npz")
        return {k.removeprefix(self.prefix): stored[k] for k in stored if k.startswith(self.prefix)}

    @property
    def frames(self) -> npt.NDArray[np.uint8]:
        """Return the frames [1, height, width, 3]."""
        return read_image(self.image.name)[None]

    @property
    def image(self) -> Path:
        return FOLDER / self.facts["image"]

    @property
    def features(self) -> npt.NDArray[np.float32]:
        return self.arrays["video_features"].astype(np.float32)

    @property
    def waveform(self) -> npt.NDArray[np.float32] | None:
        """Return the waveform if the original computed the audio row itself."""
        return read_wav(FOLDER / self.facts["wav"]) if self.facts.get("wav") else None

    def messages(self, run: str, clip: Any) -> list[dict[str, Any]]:
        """Return the chat messages whose prompt is the case's; `clip` is the part for the clip."""

        def text(words: str) -> dict[str, str]:
            return {"type": "text", "text": words}

        if self.style == "eval":
            words = self.facts["instruction_input"].removeprefix(CLIP_TEXT + " ").removesuffix(" ")
            return [{"role": "user", "content": [clip, text(words)]}]
        first, *later = self.facts["turns"]
        made = [{"role": "user", "content": [clip, text(first)]}]
        for question in later:
            answer = (
                self.runs[run]["prompt"].split("[/INST]")[1].removesuffix(f"<s>[INST] {question} ")
            )
            made += [
                {"role": "assistant", "content": answer},
                {"role": "user", "content": [text(question)]},
            ]
        return made

    def prompt_ids(self, run: str, clip: int, count: int) -> list[int]:
        """Return the original's ids with `count` placeholders for the clip."""
        before, after = self.runs[run]["segment_token_ids"]
        return [*before, *[clip] * count, *after]


def read_json(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def read_image(name: str) -> npt.NDArray[np.uint8]:
    with Image.open(FOLDER / "images" / name) as image:
        return np.array(image.convert("RGB"))


def read_wav(path: Path) -> npt.NDArray[np.float32]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (samples / 32768).astype(np.float32)


def cases() -> list[Case]:
    """Return every recorded request, with the rows of the batch."""
    single = [
        Case(path.stem, facts=json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("case_*.json"))
    ]
    rows = [
        Case(f"batch_00/{row['row']}", f"row{row['row']}_", row)
        for row in read_json("batch_00.json")["rows"]
    ]
    return single + rows


CASES = cases()
ANSWERED = [case for case in CASES if case.name not in (*TRUNCATED, TYPED_SPECIALS)]
"""The cases whose whole computation ours must repeat from chat messages."""
