"""Selects the facts that remain if a question comes without picture, sound or words."""

from demo.drawing.expression import ACTION_UNITS
from demo.labels import LABELS
from demo.speech.voice import SOUNDS

OUT_OF_PICTURE, NO_SOUND = "out of the picture", {"sound": "none"}


def given(
    facts: dict,
    *,
    picture: bool = True,
    sound: bool = True,
    words: bool = True,
    expression: bool = True,
) -> dict:
    """Return the remaining facts; the emotion is the one that they still show, else neutral.

    Without `expression`, the face is seen, but only in a moment in which it is neutral.
    """
    left = dict(facts)
    if not expression:
        left["action_units"] = []
    if not picture:
        left |= {"view": OUT_OF_PICTURE, "action_units": [], "person": {}, "backdrop": None}
    if not sound:
        left["voice"] = NO_SOUND
    if not words:
        left["words"] = "neutral"
    shown = {face_emotion(left), voice_emotion(left), left["words"]} - {"neutral"}
    return left | {"emotion": shown.pop() if shown else "neutral"}


def face_emotion(facts: dict) -> str:
    """Return the face's emotion; neutral if the face is not visible."""
    units = tuple(facts["action_units"]) if facts["view"] == "open" else ()
    return next(label for label in LABELS if ACTION_UNITS[label] == units)


def voice_emotion(facts: dict) -> str:
    """Return the voice's emotion; neutral if there is no voice."""
    return next((label for label in LABELS if SOUNDS[label] == facts["voice"]), "neutral")
