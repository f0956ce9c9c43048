"""Files of results: what stands in them, and going on with what another program saved."""

import csv
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion_llama.commands.records import as_record
from emotion_llama.commands.results import Results
from emotion_llama.commands.saved import Saved
from emotion_llama.many import Analysis
from tests.unit.client.command_server import FakeServer, command, invoke

FORMS = ("jsonl", "csv")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("bad.mp4", "happy1.mp4", "sad1.mp4", "快乐.mp4"):
        (folder / name).write_bytes(b"x")
    return folder


def rows(out: Path) -> list[dict[str, Any]]:
    text = out.read_text(encoding="utf-8-sig")
    if out.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text)))
    return [json.loads(line) for line in text.splitlines()]


def by_name(out: Path) -> dict[str, dict[str, Any]]:
    found = {Path(row["video"]).name: row for row in rows(out)}
    assert len(found) == len(rows(out))
    return found


def asked(server: FakeServer) -> list[str]:
    names = sorted(Path(request["video"]).name for request in server.asked)
    server.asked.clear()
    return names


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("concurrency", [1, 8])
def test_failed_clips_have_a_row(
    server: FakeServer, clips: Path, tmp_path: Path, form: str, concurrency: int
) -> None:
    """The first one as well, when the names of the labels are not known yet."""
    out = tmp_path / f"results.{form}"
    words = ("--server", server.url, "--out", out, "--concurrency", concurrency)
    assert invoke("analyze", clips, *words).exit_code == 1
    found = by_name(out)
    assert found.keys() == {"bad.mp4", "happy1.mp4", "sad1.mp4", "快乐.mp4"}
    assert found["bad.mp4"]["error"] == "damaged"
    assert not found["bad.mp4"]["emotion"]
    assert not found["happy1.mp4"]["error"]
    if form == "csv":
        assert found["happy1.mp4"]["p(happy)"] == "0.8"
        assert found["bad.mp4"]["p(happy)"] == ""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.costly
def test_failed_clips_are_asked_again_if_that_is_wanted(
    server: FakeServer, clips: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips, "--server", server.url, "--out", out)
    invoke(*words)
    asked(server)
    assert invoke(*words, "--resume").exit_code == 0
    assert asked(server) == []
    assert invoke(*words, "--resume", "--retry-failed").exit_code == 1
    assert asked(server) == ["bad.mp4"]
    assert by_name(out)["bad.mp4"]["error"] == "damaged"
    assert len(rows(out)) == 4
    before = out.read_bytes()
    gone = ("analyze", clips, "--server", "127.0.0.1:9", "--out", out, "--resume")
    assert invoke(*gone, "--retry-failed").exit_code == 1
    assert out.read_bytes() == before
    (clips / "bad.mp4").rename(clips / "new.mp4")
    (clips / "bad.mp4").mkdir()  # no clip any more: its row stays
    assert invoke(*words, "--resume", "--retry-failed").exit_code == 0
    assert asked(server) == ["new.mp4"]
    assert len(by_name(out)) == 5


@pytest.mark.parametrize("form", FORMS)
def test_a_kill_between_two_rows_of_a_clip(
    server: FakeServer, clips: Path, tmp_path: Path, form: str
) -> None:
    """A clip that was asked again has its last row."""
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips, "--server", server.url, "--out", out)
    invoke(*words)
    (clips / "bad.mp4").rename(tmp_path / "bad.mp4")
    twin = rows(out)[-1] if form == "jsonl" else None
    if twin:
        data = out.read_bytes() + json.dumps(twin | {"answer": "other"}).encode() + b"\n"
    else:
        last = out.read_bytes().splitlines()[-1]
        data = out.read_bytes() + last + b"\n"
    out.write_bytes(data)
    assert invoke(*words, "--resume").exit_code == 0
    assert len(by_name(out)) == 4


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([], ["--timeline", "1/1"]),
        (["--timeline", "1/1"], []),
        (["--timeline", "1/1"], ["--timeline", "2/1"]),
        ([], ["--task", "emotion"]),
        (["--language", "zh"], []),
        ([], ["--transcripts", "said.csv"]),
        (["--transcripts", "said.csv"], ["--transcripts", "other.csv"]),
    ],
)
@pytest.mark.costly
def test_resuming_with_other_options_is_refused(
    server: FakeServer, clips: Path, tmp_path: Path, form: str, first: list[str], then: list[str]
) -> None:
    (tmp_path / "said.csv").write_text("name,transcript\nhappy1,well\n")
    (tmp_path / "other.csv").write_text("name,transcript\nhappy1,no\n")
    out = tmp_path / f"results.{form}"

    def words(options: list[str]) -> list[object]:
        return [tmp_path / word if word.endswith(".csv") else word for word in options]

    invoke("analyze", clips, "--server", server.url, "--out", out, *words(first))
    asked(server)
    before = out.read_bytes()
    (clips / "new.mp4").write_bytes(b"x")
    again = ("analyze", clips, "--server", server.url, "--out", out, "--resume")
    done = invoke(*again, *words(then))
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--resume" in done.stderr
    assert (asked(server), out.read_bytes()) == ([], before)
    assert invoke(*again, *words(first)).exit_code == 0
    assert asked(server) == ["new.mp4"]


def excel(text: str) -> bytes:
    """As Excel saves it where numbers have commas: other delimiters, CRLF, other truth values."""
    table = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(table)
    return out.getvalue().replace("True", "TRUE").encode("gbk")


def unicode_text(text: str) -> bytes:
    """As Excel saves "Unicode text"."""
    out = io.StringIO()
    csv.writer(out, delimiter="\t").writerows(csv.reader(io.StringIO(text)))
    return out.getvalue().encode("utf-16")


def reordered(text: str) -> bytes:
    table = [[*row[::-1], "my own"] for row in csv.reader(io.StringIO(text))]
    out = io.StringIO()
    csv.writer(out).writerows(table)
    return out.getvalue().encode()


def lowered(row: dict[str, str]) -> dict[str, str]:
    return {name: cell.lower() for name, cell in row.items()}


SAVED_CSV: dict[str, Callable[[str], bytes]] = {
    "without a mark": str.encode,
    "CRLF": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "Excel in Chinese": excel,
    "Unicode text": unicode_text,
    "reordered": reordered,
    "without the last end of line": lambda text: text.rstrip("\n").encode(),
}
SAVED_LINES: dict[str, Callable[[str], bytes]] = {
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "Notepad": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
    "without the last end of line": lambda text: text.rstrip("\n").encode(),
    "sorted keys": lambda text: b"".join(
        json.dumps(json.loads(line), sort_keys=True).encode() + b"\n" for line in text.splitlines()
    ),
}
SAVED = [("csv", kind) for kind in SAVED_CSV] + [("jsonl", kind) for kind in SAVED_LINES]


@pytest.mark.parametrize(("form", "kind"), SAVED)
def test_a_file_that_another_program_saved(
    server: FakeServer, clips: Path, tmp_path: Path, form: str, kind: str
) -> None:
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips, "--server", server.url, "--out", out)
    invoke(*words)
    asked(server)
    before = by_name(out)
    save = {"csv": SAVED_CSV, "jsonl": SAVED_LINES}[form][kind]
    out.write_bytes(save(out.read_text(encoding="utf-8-sig")))
    (clips / "sad2.mp4").write_bytes(b"x")
    done = invoke(*words, "--resume")
    assert done.exit_code == 0, done.stderr
    assert asked(server) == ["sad2.mp4"]
    found = by_name(out)
    assert found.pop("sad2.mp4")["emotion"] == "sad"
    for name, row in before.items():
        kept = {key: found[name][key] for key in row}
        if kind == "Excel in Chinese":
            row, kept = lowered(row), lowered(kept)
        assert kept == row
    if kind == "reordered":
        assert all(row["my own"] == "my own" for row in found.values())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.costly
def test_every_way_to_cut_the_last_line(
    server: FakeServer, clips: Path, tmp_path: Path, form: str, end: str
) -> None:
    """Nothing is lost, doubled or believed of a row that is not whole, in whichever byte it ends.

    An editor may have saved the file since, with an end of line behind what was cut short.
    """
    out = tmp_path / f"results.{form}"
    words = ("analyze", clips / "快乐.mp4", clips / "sad1.mp4", "--server", server.url)
    words = (*words, "--out", out, "--concurrency", 1)
    invoke(*words)
    whole = out.read_bytes()
    wanted = by_name(out)
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for cut in [*range(start + 1, len(whole), 97), len(whole) - 2, len(whole) - 1]:
        out.write_bytes(whole[:cut] + end.encode())
        done = invoke(*words, "--resume")
        assert done.exit_code == 0, (whole[start:cut], done.stderr)
        assert by_name(out) == wanted, whole[start:cut]


def test_a_file_whose_first_line_was_cut_short(
    server: FakeServer, clips: Path, tmp_path: Path
) -> None:
    for form, start in (("csv", "\ufeffvideo,emot"), ("jsonl", '{"video": "/a/快')):
        out = tmp_path / f"results.{form}"
        out.write_bytes(start.encode()[:-1])
        words = ("--server", server.url, "--out", out, "--resume")
        assert invoke("analyze", clips / "sad1.mp4", *words).exit_code == 0
        assert by_name(out).keys() == {"sad1.mp4"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.costly
def test_results_are_kept_on_ctrl_c(server: FakeServer, tmp_path: Path, form: str) -> None:
    clips, out = tmp_path / "many", tmp_path / f"results.{form}"
    clips.mkdir()
    for index in range(60):
        (clips / f"happy{index}.mp4").write_bytes(b"x")
    words = ("analyze", clips, "--server", server.url, "--out", out, "--concurrency", 2)
    server.seconds = 0.1
    process = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True)
    while not out.exists() or out.read_bytes().count(b"\n") < 5:
        time.sleep(0.02)
    server.seconds = 30  # nobody waits for what is under way
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert process.returncode == 130
    assert "Traceback" not in told
    count = len(rows(out))
    assert f"Stopped: {count} of 60 clips are done" in told
    assert "--resume" in told
    server.seconds = 0
    server.asked.clear()
    assert invoke(*words, "--resume").exit_code == 0
    assert len(server.asked) == 60 - count
    assert len(by_name(out)) == 60


@pytest.mark.costly
def test_evaluating_is_kept_on_ctrl_c(server: FakeServer, tmp_path: Path) -> None:
    table, out = tmp_path / "labels.csv", tmp_path / "out"
    names = [f"{label}{index}" for index in range(30) for label in ("happy", "sad")]
    for name in names:
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    table.write_text("name,label\n" + "".join(f"{n},{n.rstrip('0123456789')}\n" for n in names))
    server.seconds = 0.2
    words = ("--csv", table, "--root", tmp_path, "--server", server.url, "--out", out)
    process = subprocess.Popen(
        command("evaluate", *words, "--concurrency", 2), stderr=subprocess.PIPE, text=True
    )
    results = out / "results.jsonl"
    while not results.exists() or results.read_bytes().count(b"\n") < 6:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    count = len(rows(results))
    assert f"{count} of 60 clips" in told
    assert json.loads((out / "metrics.json").read_text())["clips"] == count


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "＝"])
def test_no_cell_is_a_formula(server: FakeServer, tmp_path: Path, start: str) -> None:
    """Names of clips, words of the model and messages of the server are others' texts."""
    video, out = f"{start}cmd|' /C calc'!A0.mp4", tmp_path / "results.csv"
    server.more = {"explanation": f"{start}HYPERLINK()", "answer": f"{start}1+1"}
    words = ("--server", server.url, "--out", out)
    assert invoke("analyze", *words, "--", video).exit_code == 0
    [row] = rows(out)
    for cell in row.values():
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "＝"))
    assert row["video"].removeprefix("'") == video
    assert "HYPERLINK" in row["explanation"]
    server.asked.clear()
    assert invoke("analyze", *words, "--resume", "--", video).exit_code == 0
    assert server.asked == []


def test_a_table_opens_right_in_a_spreadsheet(
    server: FakeServer, clips: Path, tmp_path: Path
) -> None:
    """The mark tells Excel the encoding; an explanation with line ends and commas is one cell."""
    out = tmp_path / "results.csv"
    server.more = {"explanation": 'She says "yes",\r\nand\u2028smiles; 微笑'}
    invoke("analyze", clips, "--server", server.url, "--out", out)
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfvideo,")
    assert data.count(b"\xef\xbb\xbf") == 1
    assert data.count(b"\n") == 5
    said = {row["explanation"] for row in rows(out) if not row["error"]}
    assert said == {'She says "yes", and smiles; 微笑'}


@pytest.mark.parametrize("place", ["file", "output"])
@pytest.mark.costly
def test_json_keeps_chinese(server: FakeServer, clips: Path, tmp_path: Path, place: str) -> None:
    server.more = {"explanation": "她在微笑\u2028\x85😀", "emotion": "高兴"}
    words: list[object] = ["analyze", clips / "快乐.mp4", "--server", server.url]
    out = tmp_path / "results.jsonl"
    variables = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    if place == "file":
        words += ["--out", out]
    done = subprocess.run(command(*words), capture_output=True, env=variables, timeout=60)
    assert done.returncode == 0, done.stderr
    text = (out.read_bytes() if place == "file" else done.stdout).decode("utf-8")
    assert "她在微笑" in text
    assert "快乐.mp4" in text
    assert "😀" in text
    [line] = text.splitlines()
    assert json.loads(line)["explanation"] == server.more["explanation"]


@pytest.mark.parametrize("form", FORMS)
def test_a_name_that_is_no_text(server: FakeServer, tmp_path: Path, form: str) -> None:
    clip = tmp_path / os.fsdecode(b"happy\xff.mp4")
    clip.write_bytes(b"x")
    out = tmp_path / f"results.{form}"
    results = Results(out, Saved())
    results.add(as_record(Analysis(str(clip), None, OSError("gone")), transcript=None, options=""))
    results.close()
    words = ("analyze", tmp_path, "--server", server.url, "--out", out, "--resume")
    assert invoke(*words).exit_code == 0
    assert server.asked == []


@pytest.mark.parametrize(
    "name", ["results.json", "results", "results.xlsx", "results.tsv", ".csv", "results.csv.gz"]
)
def test_an_unknown_ending_is_refused(
    server: FakeServer, clips: Path, tmp_path: Path, name: str
) -> None:
    done = invoke("analyze", clips, "--server", server.url, "--out", tmp_path / name)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert ".jsonl or .csv" in done.stderr
    assert not (tmp_path / name).exists()
    assert server.asked == []


def test_a_file_that_cannot_be_written(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.csv").mkdir()
    for out in (tmp_path / "file/results.csv", tmp_path / "folder.csv"):
        done = invoke("analyze", clips, "--server", server.url, "--out", out)
        assert done.exit_code == 2
        assert len(done.stderr.splitlines()) == 1


def test_retrying_without_resuming_is_refused(clips: Path) -> None:
    done = invoke("analyze", clips, "--retry-failed")
    assert done.exit_code == 2
    assert "--resume" in done.stderr
