"""`emotion-llama analyze` and `evaluate` against a small server: output, failures, resuming."""

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from emotion_llama.commands.metrics import calibration_error, confusion, measure
from tests.unit.client.command_server import FakeServer, command, invoke, shown
from tests.unit.client.conftest import ANSWER


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    (folder / "inner").mkdir(parents=True)
    for name in ("happy1.mp4", "sad1.MP4", "inner/happy2.webm", "bad.mp4", "notes.txt"):
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_as_json_lines(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    table.write_text("name,transcript\nhappy1,well\nsad1.MP4,oh\n")
    options = ["--server", server.url, "--transcripts", table, "--timeline", "2/0.5"]
    done = invoke("analyze", clips, *options)
    assert done.exit_code == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(line["video"]).name: line["emotion"] for line in lines} == {
        "happy1.mp4": "happy",
        "sad1.MP4": "sad",
        "happy2.webm": "happy",
    }
    assert "1 clip failed:" in done.stderr
    assert "bad.mp4: damaged" in done.stderr
    said = {Path(asked["video"]).name: asked.get("transcript") for asked in server.asked}
    assert said == {"happy1.mp4": "well", "sad1.MP4": "oh", "happy2.webm": None, "bad.mp4": None}
    assert all(asked["timeline"] == {"window": 2, "step": 0.5} for asked in server.asked)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_resuming_skips_what_is_there(
    server: FakeServer, clips: Path, tmp_path: Path, form: str
) -> None:
    """Failed clips have a row, and an existing file is not written over."""
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips, "--server", server.url, "--out", out)
    done = invoke(*words)
    assert done.exit_code == 1
    assert f"Wrote {out} (4 clips)." in done.stderr.splitlines()
    assert invoke(*words).exit_code == 2
    server.asked.clear()
    (clips / "sad2.mp4").write_bytes(b"x")
    assert invoke(*words, "--resume").exit_code == 0
    assert [Path(asked["video"]).name for asked in server.asked] == ["sad2.mp4"]
    assert sorted(Path(video).name for video in videos(out)) == [
        *("bad.mp4", "happy1.mp4", "happy2.webm", "sad1.MP4", "sad2.mp4")
    ]


def videos(out: Path) -> list[str]:
    text = out.read_text(encoding="utf-8")
    if out.suffix == ".csv":
        rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
        good = [row for row in rows if not row["error"]]
        assert all(row["p(happy)"] in ("0.8", "0.2") for row in good)
        assert all(row["explanation"] == "One line, and another." for row in good)
        return [row["video"] for row in rows]
    return [json.loads(line)["video"] for line in text.splitlines()]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.costly
def test_a_killed_run_is_resumed_without_loss_or_twins(
    server: FakeServer, tmp_path: Path, form: str
) -> None:
    clips = tmp_path / "many"
    clips.mkdir()
    for index in range(60):
        (clips / f"happy{index}.mp4").write_bytes(b"x")
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips, "--server", server.url, "--out", out, "--concurrency", 2)
    server.seconds = 0.05
    process = subprocess.Popen(command(*words), stderr=subprocess.DEVNULL)
    while not out.exists() or out.read_bytes().count(b"\n") < 10:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with out.open("ab") as file:  # as if the kill had met a write
        file.write(out.read_bytes().splitlines()[-1][:40])
    server.seconds = 0
    assert invoke(*words, "--resume").exit_code == 0
    found = videos(out)
    assert len(found) == len(set(found)) == 60


def test_a_folder_has_one_name_from_everywhere(
    server: FakeServer, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--server", server.url, "--out", tmp_path / "results.jsonl")
    invoke("analyze", clips, *words)
    server.asked.clear()
    monkeypatch.chdir(clips)
    invoke("analyze", ".", *words, "--resume", "--retry-failed")
    assert [Path(asked["video"]).name for asked in server.asked] == ["bad.mp4"]


@pytest.mark.parametrize("name", ["notes.jsonl", "notes.csv"])
@pytest.mark.parametrize("text", ["the only copy", '{"x": 1}\n', "a,b\n1,2\n3"])
def test_a_file_of_something_else_is_left_alone(
    server: FakeServer, clips: Path, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    words = ("--server", server.url, "--out", tmp_path / name, "--resume")
    done = invoke("analyze", clips, *words)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / name).read_text() == text
    assert server.asked == []


def test_a_long_timeline_is_resumed(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    """csv by itself takes no cell of more than 128 KiB."""
    window = {"start": 0.0, "end": 2.0, "emotion": "happy", "confidence": 1.0, "probabilities": {}}
    server.more = {"timeline": [window] * 2000}
    words = ("--server", server.url, "--out", tmp_path / "results.csv")
    assert invoke("analyze", clips / "happy1.mp4", *words).exit_code == 0
    server.asked.clear()
    assert invoke("analyze", clips / "happy1.mp4", *words, "--resume").exit_code == 0
    assert server.asked == []


def test_brackets_are_words(server: FakeServer, clips: Path) -> None:
    """Rich takes them for styles, and fails for one that it does not know."""
    server.more = {"explanation": "[/INST] a [bold]smile"}
    text = shown("analyze", clips / "happy1.mp4", "--server", server.url)
    assert "[/INST]" in text
    assert "[bold]smile" in text


def test_the_server_can_be_asked_to_transcribe(
    server: FakeServer, clips: Path, tmp_path: Path
) -> None:
    server.more = {"evidence": {**ANSWER["evidence"], "transcript": "Oh no!"}}
    words = ("analyze", clips / "happy1.mp4", "--server", server.url, "--transcribe")
    for out in (tmp_path / "results.csv", tmp_path / "results.jsonl"):
        for more in ((), ("--resume",)):
            done = invoke(*words, "--out", out, *more)
            assert done.exit_code == 0, done.stderr
        assert "Oh no!" in out.read_text()
        assert "transcripts=server" in out.read_text()
    assert [asked["transcribe"] for asked in server.asked] == [True, True]


def test_words_come_from_one_place(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    table = tmp_path / "words.csv"
    table.write_text("name,transcript\nhappy1,Words.\n")
    words = ("analyze", clips, "--server", server.url, "--transcribe", "--transcripts", table)
    assert "give one" in invoke(*words).stderr
    assert server.asked == []


def test_a_sound_track_can_be_chosen(server: FakeServer, clips: Path) -> None:
    done = invoke("analyze", clips / "happy1.mp4", "--server", server.url, "--audio-track", 1)
    assert done.exit_code == 0, done.stderr
    assert [asked["audio_track"] for asked in server.asked] == [1]


def test_the_frame_can_be_chosen(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    for frame, asked in (("peak", "peak"), ("middle", "middle"), ("1.5", 1.5)):
        out = tmp_path / f"{frame}.jsonl"
        words = ("--server", server.url, "--frame", frame, "--out", out)
        done = invoke("analyze", clips / "happy1.mp4", *words)
        assert done.exit_code == 0, done.stderr
        assert server.asked[-1]["frame"] == asked
        other = invoke("analyze", clips / "happy1.mp4", "--out", out, "--resume")
        assert f"frame={asked}" in other.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.mp4", "--task", "dance"], "--task"),
        (["x.mp4", "--frame", "best"], "--frame"),
        (["x.mp4", "--frame", "-1"], "--frame"),
        (["x.mp4", "--frame", "inf"], "--frame"),
        (["x.mp4", "--timeline", "2"], "--timeline"),
        (["x.mp4", "--timeline", "nan/1"], "--timeline"),
        (["x.mp4", "--timeline", "2/0"], "--timeline"),
        (["x.mp4", "--language", "fr"], "--language"),
        (["x.mp4", "--resume"], "--out"),
        (["x.mp4", "--transcripts", "missing.csv"], "missing.csv"),
    ],
)
def test_a_wrong_option_is_one_sentence(words: list[str], message: str) -> None:
    done = invoke("analyze", *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_evaluate(server: FakeServer, tmp_path: Path) -> None:
    root, table, out = tmp_path / "root", tmp_path / "labels.csv", tmp_path / "out"
    root.mkdir()
    names = ["happy1", "happy2", "sad1", "sad2", "sad3"]
    for name in names:
        (root / f"{name}.mp4").write_bytes(b"x")
    labels = ["happy", "sad", "sad", "sad", "happy"]
    rows = [f"{name},{label},said" for name, label in zip(names, labels, strict=True)]
    table.write_text("\n".join(["name,label,transcript", *rows]))
    words = ("--csv", table, "--root", root, "--server", server.url, "--out", out)
    done = invoke("evaluate", *words)
    assert done.exit_code == 0, done.stderr
    found = json.loads((out / "metrics.json").read_text())
    assert found["accuracy"] == found["war"] == pytest.approx(0.6)
    assert found["confusion"] == [[1, 1], [1, 2]]
    assert found["calibration_error"] == pytest.approx(0.2)
    assert (out / "confusion.svg").read_text().count("<rect") == 5
    for name in ("metrics.json", "confusion.svg", "results.jsonl"):
        assert str(out / name) in done.stdout.replace("\n", "")
    assert all(asked["transcript"] == "said" for asked in server.asked)
    assert all(asked["labels"] == ["happy", "sad"] for asked in server.asked)
    table.write_text("name,label\nmissing,happy\n")
    assert "missing" in invoke("evaluate", *words).stderr


def test_a_table_as_people_write_it(server: FakeServer, tmp_path: Path) -> None:
    """Another ending, a space behind a label, a label that the server has never heard of."""
    table, out = tmp_path / "labels.csv", tmp_path / "out"
    for name in ("happy1", "sad1"):
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    table.write_text("name,label\nhappy1.avi,happy \nsad1,fear\n")
    words = ("--csv", table, "--root", tmp_path, "--server", server.url, "--out", out)
    done = invoke("evaluate", *words)
    assert done.exit_code == 0, done.stderr
    found = json.loads((out / "metrics.json").read_text())
    assert found["labels"] == ["happy", "fear", "sad"]
    assert found["confusion"] == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    table.write_text("name,label\nhappy1\nsad1,sad\n")
    assert "happy1" in invoke("evaluate", *words).stderr


SCIKIT_LEARNS = [  # counts, accuracy, weighted F1 and macro recall of scikit-learn 1.9.1
    ([[88, 7, 7, 8], [6, 44, 4, 6], [3, 1, 21, 5], [0, 0, 0, 0]], 0.765, 0.804960039, 0.744444444),
    ([[98, 5, 5, 11], [4, 52, 4, 3], [0, 2, 16, 0], [0, 0, 0, 0]], 0.83, 0.863193642, 0.845938375),
    ([[80, 9, 7, 12], [5, 46, 7, 6], [4, 3, 15, 6], [0, 0, 0, 0]], 0.705, 0.753574366, 0.665068342),
]
"""True labels in rows, answers in columns; the last label occurs as an answer only."""


@pytest.mark.parametrize(("counts", "accuracy", "weighted_f1", "recall"), SCIKIT_LEARNS)
def test_the_metrics_are_those_of_scikit_learn(
    counts: list[list[int]], accuracy: float, weighted_f1: float, recall: float
) -> None:
    labels = ["a", "b", "c", "d"]
    pairs = [
        (true, told)
        for true, row in zip(labels, counts, strict=True)
        for told, count in zip(labels, row, strict=True)
        for _ in range(count)
    ]
    true, told = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert confusion(labels, true, told) == counts
    found = measure(counts, [0.5] * len(pairs), [True] * len(pairs))
    theirs = {
        "accuracy": accuracy,
        "weighted_f1": weighted_f1,
        "uar": recall,
        "war": accuracy,
        "calibration_error": 0.5,
    }
    assert found.model_dump() == pytest.approx(theirs)


def test_calibration() -> None:
    """Two bins: 0.9 said and 3 of 4 right, 0.3 said and 1 of 2 right."""
    confidences, right = [0.9] * 4 + [0.3] * 2, [True] * 3 + [False, True, False]
    assert calibration_error(confidences, right) == pytest.approx((0.15 * 4 + 0.2 * 2) / 6)
    assert calibration_error([1.0, 0.0], [True, False]) == 0
