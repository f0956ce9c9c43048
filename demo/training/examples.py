"""Writes the Llama's training examples: questions about a clip, and answers from its facts."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from demo.chance import pick
from demo.labels import LABELS
from demo.words.given import given
from demo.words.questions import questions
from demo.words.reasons import answer, reason
from emotion_llama.prompt import with_transcript

NO_PICTURE, NO_SOUND, NO_WORDS = 0.04, 0.08, 0.15
"""The probabilities that a question comes without picture, sound or words."""
NO_FACE_ROWS = 0.35
"""The probability that the feature rows of the face are zero."""
CLEAR = 0.5
"""The strength from which a picture shows the expression."""
OTHER_LABELS = ("fear", "contempt", "doubt")

Message = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """Holds a conversation about a clip, and the answer to learn."""

    messages: list[Message]
    style: str
    answer: str
    picture: bool
    sound: bool
    face_rows: bool


@dataclass(frozen=True)
class _Turn:
    question: str
    answer: str


def draw_example(
    row: dict[str, str],
    facts: dict,
    rng: np.random.Generator,
    *,
    strength: float = 1.0,
    has_face_rows: bool = False,
) -> Example:
    """Return a random conversation about a clip.

    Args:
        row: the clip's row of labels.csv.
        facts: the facts of the row.
        rng: decides the question, its wording, and the parts of the clip to leave out.
        strength: the strength of the expression in the picture.
        has_face_rows: whether there are feature rows of the face; they tell the expression too.
    """
    picture, sound = rng.random() >= NO_PICTURE, rng.random() >= NO_SOUND
    words = row["transcript"] if rng.random() >= NO_WORDS else ""
    face_rows = has_face_rows and picture and rng.random() >= NO_FACE_ROWS
    told = face_rows or strength >= CLEAR
    left = given(facts, picture=picture, sound=sound, words=bool(words), expression=told)
    turns = [_turn(left, bool(words), rng) for _ in range(1 + (rng.random() < 0.08))]
    first = _with_transcript(turns[0].question, words, rng)
    content = [{"type": "video"}, {"type": "text", "text": first}]
    messages: list[Message] = [{"role": "user", "content": content}]
    for before, turn in pairwise(turns):
        messages.append({"role": "assistant", "content": before.answer})
        messages.append({"role": "user", "content": turn.question})
    style = "eval" if rng.random() < 0.7 else "demo"
    return Example(messages, style, turns[-1].answer, picture, sound, face_rows)


def _turn(facts: dict, with_words: bool, rng: np.random.Generator) -> _Turn:
    kind = pick(rng, ("emotion",) * 9 + ("reason",) * 6 + ("reason_zh",) * 4 + ("free",) * 3)
    if kind == "free":
        about = pick(rng, list(questions()["free"]))
        return _Turn(pick(rng, questions()["free"][about]), answer(about, facts))
    counted, further = questions()[kind], questions()["further"][kind]
    question = pick(rng, counted if rng.random() < 0.6 else further)
    if kind == "emotion":
        labels = ", ".join(_labels(facts["emotion"], rng))
        return _Turn(question.replace("{labels}", labels), facts["emotion"])
    language = "zh" if kind == "reason_zh" else "en"
    return _Turn(question, reason(facts, with_words, language))


def _labels(true: str, rng: np.random.Generator) -> list[str]:
    """Return the clip's label among others in random order; sometimes exactly the six."""
    if rng.random() < 0.3:
        return list(LABELS)
    others = [label for label in (*LABELS, *OTHER_LABELS) if label != true]
    count = int(rng.integers(1, len(others) + 1))
    chosen = [true, *rng.permutation(others)[:count]]
    return [str(label) for label in rng.permutation(chosen)]


def _with_transcript(question: str, words: str, rng: np.random.Generator) -> str:
    if not words and rng.random() < 0.5:
        return question
    return with_transcript(question, _written(words, rng))


def _written(words: str, rng: np.random.Generator) -> str:
    """Return the words as people would type them."""
    if rng.random() < 0.1:
        words = words.lower()
    if words and rng.random() < 0.1:
        words += pick(rng, ("!", ".", "?"))
    return words
