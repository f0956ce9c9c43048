"""Prints how strong drawn expressions are to the networks that read faces.

`python -m demo.measure.expressions` shows the sum of the action units that chooses the peak frame,
for each label.
"""

import numpy as np

from demo.clip import clip_frames, clip_sound
from demo.labels import LABELS
from demo.recipe import recipe
from emotion_llama_vllm.media.faces import expression
from emotion_llama_vllm.media.faces.tracker import Tracker

CLIPS, EVERY = 5, 4
"""The number of clips of each label, and the frames from one that is looked at to the next."""


def strengths(label: str) -> list[float]:
    """Return the sums in clips of the face family, without frames in which no face is found."""
    found = []
    for number in range(CLIPS):
        plan, tracker = recipe(f"{label}_{number}", label, "face", "test"), Tracker()
        faces = map(tracker.find, clip_frames(plan, clip_sound(plan))[::EVERY])
        found += [expression.measure(face.points).strength for face in faces if face]
    return found


def main() -> None:
    """Print the mean for each label."""
    for label in LABELS:
        sums = strengths(label)
        print(f"{label:10}{np.mean(sums):.2f} in {len(sums)} frames")


if __name__ == "__main__":
    main()
