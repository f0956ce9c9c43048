"""Decides a clip's content: the person, and whether face, voice or words carry the emotion."""

from dataclasses import dataclass

import numpy as np

from demo.chance import pick, stream
from demo.drawing.scene import Scene, scene
from demo.labels import FAMILIES, LABELS
from demo.people import Person, person
from demo.speech.voice import VOICES
from demo.words.sentences import sentences

OPEN, TURNED, DARK = "open", "turned away", "in the dark"
MIXTURES = (
    ("face", "voice"), ("face", "words"), ("voice", "words"), ("face", "voice", "words"),
)  # fmt: skip
CARRIERS = {"apex": "face"}
"""Maps a family to what carries the emotion, if their names differ."""


@dataclass(frozen=True)
class Act:
    """Represents one emotion's part of a clip: the expression of face, voice and words.

    `view` is how the camera sees the face: open, turned away or in the dark.
    """

    label: str
    face: str
    voice: str
    words: str
    view: str
    sentence: str


@dataclass(frozen=True)
class Recipe:
    """Holds everything that a clip is made from; a second act begins at `change_at` seconds.

    `apex` is the moment, as a share of the clip's length, to which an expression rises from a
    neutral face; None if it is there from the start.
    """

    name: str
    family: str
    split: str
    acts: tuple[Act, ...]
    change_at: float | None
    person: Person
    voice: str
    scene: Scene
    with_transcript: bool
    apex: float | None

    @property
    def crf(self) -> int:
        """Return the video's compression strength."""
        return int(self.stream("compression").integers(22, 34))

    def stream(self, use: str) -> np.random.Generator:
        """Return the clip's own random stream for one use."""
        return stream("clip", self.name, use)


def numbered(split: str, seed: int, index: int, change_at: float | None = None) -> Recipe:
    """Return the index-th recipe of a split and seed; families and labels take turns."""
    family = FAMILIES[index % len(FAMILIES)] if change_at is None else "mixed"
    label = LABELS[index // len(FAMILIES) % len(LABELS)]
    return recipe(f"{split}_{seed}_{index:05d}", label, family, split, change_at)


def recipe(
    name: str, label: str, family: str, split: str, change_at: float | None = None
) -> Recipe:
    """Return a recipe for this label and family; the name decides everything else."""
    rng = stream("recipe", name)
    if change_at is None:
        acts = [_act(label, family, split, rng)]
    else:
        later = pick(rng, [other for other in LABELS if other != label])
        acts = [_plain_act(emotion, split, rng) for emotion in (label, later)]
    words_decide = family == "words" or acts[0].words != "neutral"
    return Recipe(
        name=name,
        family=family,
        split=split,
        acts=tuple(acts),
        change_at=change_at,
        person=person(split, rng),
        voice=pick(rng, VOICES[split]),
        scene=scene(rng),
        # The prompt must hold the words where they decide; in other clips it does at random.
        with_transcript=change_at is None and (words_decide or rng.random() < 0.5),
        apex=rng.uniform(0.45, 0.7) if family == "apex" else None,
    )


def _act(label: str, family: str, split: str, rng: np.random.Generator) -> Act:
    carriers = pick(rng, MIXTURES) if family == "mixed" else (CARRIERS.get(family, family),)
    face, voice, words = (label if c in carriers else "neutral" for c in ("face", "voice", "words"))
    hidden = family == "voice" and rng.random() < 0.5
    view = pick(rng, (TURNED, DARK)) if hidden else OPEN
    return Act(label, face, voice, words, view, pick(rng, sentences(words, split)))


def _plain_act(label: str, split: str, rng: np.random.Generator) -> Act:
    """Return an act of a clip that changes: face and voice show the emotion, the words do not."""
    return Act(label, label, label, "neutral", OPEN, pick(rng, sentences("neutral", split)))
