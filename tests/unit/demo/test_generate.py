"""Generated clips: repeatable, balanced, disjoint between splits, and playable files."""

import csv
import json
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest

from demo.chance import share, stream
from demo.clip import FPS, make_clip
from demo.generate import COLUMNS, write_clip
from demo.labels import FAMILIES, LABELS, SPLITS
from demo.people import CROWD
from demo.recipe import numbered, recipe
from demo.speech.voice import SAMPLE_RATE, SOUNDS, VOICES, say
from demo.words.sentences import sentences
from devtools.paths import CHECKOUT

CLIPS = CHECKOUT / "demo" / "clips"


def streams(path: Path) -> tuple[int, float]:
    """Decodes a file with one video and one audio stream: frames and seconds of sound."""
    with av.open(str(path)) as container:
        assert [len(container.streams.video), len(container.streams.audio)] == [1, 1]
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0))
    return frames, sound / SAMPLE_RATE


@pytest.mark.parametrize("index", [0, 9, 17])
@pytest.mark.costly
def test_same_seed_same_clip(index: int) -> None:
    """Frames, sound and row repeat exactly; another seed gives another clip."""
    once, again, other = (make_clip(numbered("train", seed, index)) for seed in (1, 1, 2))
    assert np.array_equal(once.frames, again.frames)
    assert np.array_equal(once.sound, again.sound)
    assert once.row == again.row
    assert once.frames.shape != other.frames.shape or (once.frames != other.frames).any()


@pytest.mark.costly
def test_same_bytes(tmp_path: Path) -> None:
    """The written file repeats to the byte, whatever was spoken in between."""
    plan = numbered("train", 0, 5)
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        write_clip(plan, tmp_path / part)
    names = [tmp_path / part / f"{plan.name}.mp4" for part in ("one", "two")]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_labels_are_balanced_in_each_family() -> None:
    """Any stretch of 30 clips holds each label of each family once."""
    plans = [numbered("train", 0, index) for index in range(60)]
    counts = Counter((plan.family, plan.acts[0].label) for plan in plans)
    assert set(counts.values()) == {2}
    assert len(counts) == len(FAMILIES) * len(LABELS)


def test_families_carry_the_emotion_where_they_say() -> None:
    """Only the named channel of a single-channel family departs from neutral."""
    for index in range(120):
        plan = numbered("val", 3, index)
        act = plan.acts[0]
        shown = {name for name in ("face", "voice", "words") if getattr(act, name) != "neutral"}
        if act.label == "neutral":
            assert not shown
        elif plan.family == "mixed":
            assert len(shown) >= 2
        elif plan.family == "apex":
            assert shown == {"face"}
        else:
            assert shown == {plan.family}
        assert plan.with_transcript or "words" not in shown


def test_splits_are_disjoint() -> None:
    """No sentence, voice, look or clip is in two splits."""
    for one, two in combinations(SPLITS, 2):
        assert not set(VOICES[one]) & set(VOICES[two])
        assert not set(share(CROWD, one, "people")) & set(share(CROWD, two, "people"))
        for label in LABELS:
            assert not set(sentences(label, one)) & set(sentences(label, two))
        assert numbered(one, 0, 0).name != numbered(two, 0, 0).name


def test_sentences_name_no_label() -> None:
    """A reason may quote what the words are about without naming a second label."""
    spoken = [text.lower() for label in LABELS for s in SPLITS for text in sentences(label, s)]
    assert not [text for text in spoken if any(label in text for label in LABELS)]


@pytest.mark.costly
def test_loudness_says_nothing() -> None:
    """Every emotion's speech has the same strength."""
    plans = [recipe(f"loud_{label}", label, "voice", "train") for label in LABELS]
    levels = [np.sqrt(np.mean(make_clip(plan).sound ** 2)) for plan in plans]
    assert max(levels) < 1.5 * min(levels)


@pytest.mark.slow
def test_voices_sound_as_the_facts_say() -> None:
    """Pitch and pace, measured: against the same voice speaking neutrally."""
    sounds = {label: [_measure(voice, label) for voice in VOICES["train"]] for label in LABELS}
    neutral = np.array(sounds["neutral"])
    for label in LABELS:
        pitch, seconds = np.median(np.array(sounds[label]) / neutral, axis=0)
        said = SOUNDS[label]
        heard_pitch = "low" if pitch < 0.85 else "high" if pitch > 1.15 else "middle"
        heard_rate = "fast" if seconds < 0.9 else "slow" if seconds > 1.2 else "calm"
        assert (heard_pitch, heard_rate) == (said["pitch"], said["rate"]), label


def _measure(voice: str, label: str) -> tuple[float, float]:
    """Median pitch in Hz and length in seconds of one sentence."""
    sound = say("The meeting is at the usual time", voice, label, stream("measure", voice))
    frames = np.lib.stride_tricks.sliding_window_view(sound, 1024)[::256]
    strength = np.sqrt(np.mean(frames**2, axis=1))
    loud = frames[strength > 0.4 * strength.max()]
    return float(np.median([_pitch(frame) for frame in loud])), len(sound) / SAMPLE_RATE


def _pitch(frame: np.ndarray) -> float:
    """Return the pitch in Hz, from 50 to 500, after which the frame resembles itself most."""
    shortest, longest = SAMPLE_RATE // 500, SAMPLE_RATE // 50
    size = len(frame) - longest
    later = np.lib.stride_tricks.sliding_window_view(frame, size)[shortest:longest]
    likeness = later @ frame[:size] / np.linalg.norm(later, axis=1)
    first = next(i for i, like in enumerate(likeness) if like > 0.9 * likeness.max())
    peak = first + int(np.argmax(likeness[first : first + shortest]))
    return SAMPLE_RATE / (shortest + peak)


@pytest.mark.costly
def test_command_line(tmp_path: Path) -> None:
    """The documented command writes the clips and their rows."""
    options = ["--split", "val", "--seed", "4", "--count", "3", "--out", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "demo.generate", *options], check=True, cwd=CHECKOUT)
    with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["family"] for row in rows] == ["face", "voice", "words"]
    assert {path.stem for path in tmp_path.glob("*.mp4")} == {row["name"] for row in rows}


@pytest.mark.costly
def test_change_of_emotion(tmp_path: Path) -> None:
    """A clip that changes says when and to what, and both halves differ."""
    plan = numbered("test", 0, 8, change_at=2.0)
    row = write_clip(plan, tmp_path)
    facts = json.loads(row["facts"])
    assert facts["then"]["at"] == 2.0
    assert facts["then"]["emotion"] != facts["emotion"] == row["label"]
    frames, seconds = streams(tmp_path / f"{plan.name}.mp4")
    assert 4 <= frames / FPS <= 6
    assert seconds == pytest.approx(frames / FPS, abs=0.15)


def test_committed_clips() -> None:
    """The kept clips decode, have each label, stay small and match their labels.csv."""
    with (CLIPS / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {row["label"] for row in rows} == set(LABELS)
    assert {row["name"] for row in rows} == {path.stem for path in CLIPS.glob("*.mp4")}
    assert sum(path.stat().st_size for path in CLIPS.iterdir()) < 500_000
    for row in rows:
        frames, seconds = streams(CLIPS / f"{row['name']}.mp4")
        assert 2 <= frames / FPS <= 4
        assert seconds == pytest.approx(frames / FPS, abs=0.15)
