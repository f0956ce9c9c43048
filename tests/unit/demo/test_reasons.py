"""Reasons follow from the facts, and the checker tells true ones from false ones."""

import json

import numpy as np
import pytest

from demo.clip import clip_row
from demo.labels import LABELS
from demo.measure.facts import claims, problems
from demo.recipe import numbered
from demo.words.given import OUT_OF_PICTURE, given
from demo.words.questions import questions
from demo.words.reasons import answer, reason

ROWS = [clip_row(numbered("test", 5, index)) for index in range(240)]
BARE = {"sound": False, "picture": False}
FACTS = [json.loads(row["facts"]) for row in ROWS]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_own_reasons_pass(language: str) -> None:
    """Every clip's own reason is true and names its label once."""
    for row, facts in zip(ROWS, FACTS, strict=True):
        assert problems(reason(facts, bool(row["transcript"]), language), facts) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_swapped_reasons_are_flagged(language: str) -> None:
    """Of 50 reasons that change places between clips of different facts, at least 45 are caught."""
    rng = np.random.default_rng(0)
    pairs = [rng.choice(len(FACTS), 2, replace=False) for _ in range(50)]
    texts = [(reason(FACTS[a], True, language), FACTS[b]) for a, b in pairs]
    assert all(FACTS[a] != FACTS[b] for a, b in pairs)
    assert sum(bool(problems(text, facts)) for text, facts in texts) >= 45


def test_checker_names_the_fault() -> None:
    """A wrong claim, a second label and a missing clue are each reported."""
    facts = next(f for f in FACTS if f["emotion"] == "happy" and f["action_units"])
    good = reason(facts, False)
    assert problems(good.replace("lip corners pulled up", "lip corners pulled down"), facts)
    assert problems(good.replace("AU12", "AU15"), facts) == ["untrue: action_units AU15"]
    assert problems(good + " or sad", facts) == ["untrue: emotion sad",
                                                 "names 2 labels instead of one"]  # fmt: skip
    assert problems("happy", facts) == ["gives no clue"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.costly
def test_reasons_of_what_is_left_hold(language: str) -> None:
    """Without sound or picture the reason says so, and tells the emotion that can still be told."""
    for facts in FACTS[:60]:
        for taken in ({"sound": False}, {"picture": False}, {"expression": False}, BARE):
            left = given(facts, **taken)
            text = reason(left, with_words=True, language=language)
            assert problems(text, left) == []
            assert (("sound", "none") in claims(text)) == ("sound" in taken)
            assert (("view", OUT_OF_PICTURE) in claims(text)) == ("picture" in taken)
            if facts["words"] == "neutral" and len(taken) == 2:
                assert left["emotion"] == "neutral"
        assert given(facts)["emotion"] == facts["emotion"]


def test_free_answers_hold() -> None:
    """Answers to free questions claim only true things and name no label."""
    for facts in FACTS[:60]:
        for about in questions()["free"]:
            found = claims(answer(about, facts))
            assert found
            assert all(aspect != "emotion" for aspect, _ in found)
            assert not [p for p in problems(answer(about, facts), facts) if "untrue" in p]


def test_original_questions_are_listed() -> None:
    """The original project's own emotion and reason wordings are among ours."""
    wording = "Please determine which emotion label in the video represents: {}."
    asked = questions()["emotion"]
    assert "[emotion] " + wording.format("happy, sad, neutral, angry, worried, surprise") in asked
    assert all(label in text for text in asked for label in LABELS)
    assert len(questions()["reason"]) >= 5
