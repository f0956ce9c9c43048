"""`emotion-llama batch`, and `analyze --batch`, against the server's own routes."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import Result

from emotion_llama import EmotionLLaMA
from emotion_llama.commands.batch import asking
from emotion_llama_server.gate import Gate
from emotion_llama_server.routes import error_route
from emotion_llama_server.services import install
from tests.support.apps.light_server import light_server
from tests.support.apps.services import services
from tests.unit.client.command_server import invoke, shown
from tests.unit.client_with_server.conftest import BatchServer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_EVERY_SECONDS", 0.01)


def run(server: BatchServer, *words: object) -> Result:
    return invoke("batch", *words, "--server", server.url)


@pytest.fixture
def words(clips: list[Path]) -> Path:
    table = clips[0].parent.parent / "said.csv"
    table.write_text("name,transcript\na,well\n")
    return table


def read(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8-sig")
    rows = csv.DictReader(text.splitlines()) if file.suffix == ".csv" else text.splitlines()
    found = [json.loads(row) if isinstance(row, str) else row for row in rows]
    return sorted(found, key=lambda row: row["video"])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_folder_becomes_the_file_that_analyze_writes(
    server: BatchServer, clips: list[Path], words: Path, tmp_path: Path, form: str
) -> None:
    folder, out = clips[0].parent, tmp_path / f"batch.{form}"
    options = ["--task", "emotion", "--transcripts", words]
    submitted = run(server, "submit", folder, *options)
    assert submitted.exit_code == 0, submitted.output
    batch = submitted.stdout.strip()
    assert "3 clips submitted" in submitted.stderr
    watched = run(server, "watch", batch)
    assert watched.exit_code == 1
    assert re.search(f"{batch}  .*  completed  3 of 3 clips, 1 failed\n", watched.stdout)
    done = run(server, "results", batch, "--out", out)
    assert done.exit_code == 1
    assert f"Wrote {out} (3 clips)." in done.stderr
    assert "c.mp4: damaged" in done.stderr
    directly = tmp_path / f"direct.{form}"
    invoke("analyze", folder, *options, "--server", server.url, "--out", directly)
    assert read(out) == read(directly)
    assert [Path(row["video"]).name for row in read(out)] == ["a.mp4", "b.mp4", "c.mp4"]


def test_analyze_asks_about_a_folder_as_one_batch_and_goes_on_with_its_file(
    server: BatchServer, clips: list[Path], tmp_path: Path
) -> None:
    folder, out = clips[0].parent, tmp_path / "results.jsonl"
    asked = ["analyze", folder, "--server", server.url, "--out", out, "--batch"]
    with EmotionLLaMA(server.url) as client:
        before = len(list(client.batches.list()))
        assert invoke(*asked).exit_code == 1
        assert len(read(out)) == 3
        (folder / "d.mp4").write_text("happy")
        done = invoke(*asked, "--resume")
        assert (done.exit_code, len(read(out))) == (0, 4)
        assert invoke(*asked, "--resume").exit_code == 0
        newest, *others = client.batches.list()
    assert (newest.request_counts.total, len(others)) == (1, before + 1)


def test_a_clip_that_the_server_refuses_is_named_and_the_others_are_submitted(
    server: BatchServer, clips: list[Path]
) -> None:
    clips[1].write_bytes(b"")
    submitted = run(server, "submit", clips[0].parent)
    assert submitted.exit_code == 1
    assert "2 clips submitted" in submitted.stderr
    assert "b.mp4: The file is empty." in submitted.stderr
    assert run(server, "watch", submitted.stdout.strip()).exit_code == 1


def test_a_batch_is_listed_cancelled_and_its_clips_are_named(
    server: BatchServer, clips: list[Path]
) -> None:
    with server.held():
        batch = run(server, "submit", *clips).stdout.strip()
        early = run(server, "results", batch)
        assert early.exit_code == 1
        assert "its results are there when it is over" in early.stderr
        assert run(server, "cancel", batch).exit_code == 0
    assert run(server, "watch", batch).exit_code == 1
    listed = run(server, "status").stdout.splitlines()
    assert [line for line in listed if batch in line] == [
        *run(server, "status", batch).stdout.splitlines()
    ]
    assert "cancelled" in listed[0]
    done = run(server, "results", batch)
    assert done.exit_code == 1


def test_after_an_interrupt_the_batch_goes_on_and_no_part_of_its_results_is_kept(
    server: BatchServer, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "results.csv"
    monkeypatch.setattr("emotion_llama.batches.asynchronous.analysis_of", interrupt)
    stopped = invoke("analyze", *clips[:2], "--server", server.url, "--out", out, "--batch")
    assert stopped.exit_code == 130
    [batch] = re.findall("batch_[0-9a-f]+", stopped.stderr)
    assert run(server, "results", batch, "--out", out).exit_code == 130
    assert not out.exists()
    monkeypatch.undo()
    assert run(server, "results", batch, "--out", out).exit_code == 0
    assert len(read(out)) == 2


def test_results_in_a_terminal_are_a_table(server: BatchServer, clips: list[Path]) -> None:
    batch = run(server, "submit", *clips[:2]).stdout.strip()
    assert run(server, "watch", batch).exit_code == 0
    table = shown("batch", "results", batch, "--server", server.url)
    assert re.search("a.mp4 *│ *happy", table)


def test_a_batch_with_wrong_lines_says_which(server: BatchServer, tmp_path: Path) -> None:
    with EmotionLLaMA(server.url) as client:
        file = client.files.upload(b"{}\n", "batch")
        sent = client._http.post(
            "/v1/batches",
            json={
                "input_file_id": file.id,
                "endpoint": "/v1/emotion",
                "completion_window": "1h",
            },
        )
        batch = client.batches.wait(sent.json()["id"], every=0.01)
    told = run(server, "watch", batch.id)
    assert told.exit_code == 1
    assert "failed" in told.stdout
    assert "  line 1: " in told.stdout
    out = tmp_path / "results.csv"
    refused = run(server, "results", batch.id, "--out", out)
    assert refused.exit_code == 2
    assert f"`emotion-llama batch status {batch.id}` says why" in refused.stderr
    assert not out.exists()


def test_a_file_of_results_is_never_written_over(
    server: BatchServer, clips: list[Path], tmp_path: Path
) -> None:
    batch = run(server, "submit", clips[0]).stdout.strip()
    assert run(server, "watch", batch).exit_code == 0
    out = tmp_path / "results.jsonl"
    out.write_text("the only copy")
    refused = run(server, "results", batch, "--out", out)
    assert (refused.exit_code, out.read_text()) == (2, "the only copy")
    assert run(server, "results", batch, "--out", tmp_path / "results.txt").exit_code == 2


@pytest.mark.parametrize("words", [["submit", __file__], ["status"], ["results", "batch_1"]])
def test_a_server_that_keeps_no_files_is_reported_in_one_sentence(words: list[str]) -> None:
    app = FastAPI()
    error_route.install(app)
    app.add_middleware(Gate)
    install(app, services())
    with light_server(app) as port:
        done = invoke("batch", *words, "--server", f"http://127.0.0.1:{port}")
    assert done.exit_code == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"emotion-llama batch {words[0]}: ")
    assert "--data-dir" in line


def test_an_unknown_id_and_a_wrong_window_are_reported_in_one_sentence(
    server: BatchServer, clips: list[Path]
) -> None:
    for words, told in (
        (["status", "batch_" + "0" * 32], "no batch"),
        (["submit", clips[0], "--completion-window", "1d"], "1h to 168h"),
    ):
        done = run(server, *words)
        assert done.exit_code == 2
        [line] = done.stderr.splitlines()
        assert told in line
