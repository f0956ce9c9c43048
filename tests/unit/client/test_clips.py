"""Which files of a folder are clips, and which rows of a table are about them."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from emotion_llama.commands.clips import find_clips
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.matching import match
from tests.unit.client.command_server import FakeServer, invoke

SIDECARS = (
    "._happy.mp4",
    "__MACOSX/._happy.mp4",
    "__MACOSX/happy.mp4",
    "@eaDir/happy.mp4/SYNOVIDEO_VIDEO_SCREENSHOT.jpg",
    ".thumbnails/happy.jpg",
    ".@__thumb/happy.jpg",
    "@Recycle/happy.mp4",
    "#recycle/happy.mp4",
    "$RECYCLE.BIN/happy.mp4",
    ".Trash-1000/files/happy.mp4",
    ".git/happy.mp4",
    "inner/.hidden.webm",
    "inner/THMBNL/C0001T01.JPG",
    "Thumbs.db",
    "desktop.ini",
    "happy.mp4.jpg",
)
ENDINGS = (
    *(".mp4", ".MP4", ".m4v", ".mov", ".MOV", ".qt", ".3gp", ".3g2", ".f4v", ".mkv", ".webm"),
    *(".avi", ".AVI", ".divx", ".png", ".jpg", ".JPEG"),
    *(".wav", ".WAV", ".mp3", ".m4a", ".ogg", ".opus", ".flac"),
)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize("name", SIDECARS)
def test_what_a_system_leaves_is_no_clip(tmp_path: Path, name: str) -> None:
    write(tmp_path, "happy.mp4", name)
    found = find_clips([str(tmp_path)])
    assert found.clips == [str(tmp_path / "happy.mp4")]
    assert found.notes() == ["1 hidden file or sidecar was skipped."]


def test_a_folder_full_of_them(server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, "happy.mp4", *SIDECARS)
    done = invoke("analyze", tmp_path, "--server", server.url)
    assert done.exit_code == 0
    assert [asked["video"] for asked in server.asked] == [str(tmp_path / "happy.mp4")]
    assert "hidden files or sidecars were skipped" in done.stderr


def test_what_a_shells_star_names(tmp_path: Path) -> None:
    """Sidecars are skipped; a hidden folder that is named itself is meant."""
    write(tmp_path, "happy.mp4", "__MACOSX/._happy.mp4", "@eaDir/x.jpg", ".mine/sad.mp4")
    found = find_clips([str(path) for path in sorted(tmp_path.glob("[!.]*"))])
    assert found.clips == [str(tmp_path / "happy.mp4")]
    assert len(found.skipped) == 2
    assert find_clips([str(tmp_path / ".mine")]).clips == [str(tmp_path / ".mine/sad.mp4")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_usual_ending_is_found(tmp_path: Path, ending: str) -> None:
    write(tmp_path, f"clip{ending}", "notes.txt", "rows.npy")
    assert find_clips([str(tmp_path)]).clips == [str(tmp_path / f"clip{ending}")]


@pytest.mark.parametrize("ending", [".mts", ".MTS", ".mpg", ".wmv", ".flv", ".m2ts"])
def test_videos_that_a_server_cannot_read_are_named(tmp_path: Path, ending: str) -> None:
    write(tmp_path, f"clip{ending}")
    with pytest.raises(CommandError, match=ending.lower()):
        find_clips([str(tmp_path)])
    write(tmp_path, "happy.mp4")
    [note] = find_clips([str(tmp_path)]).notes()
    told = f"1 file was skipped that a server cannot read: {ending.lower()} (1); convert to MP4."
    assert note == told


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "happy.mp4", "closed/sad.mp4")
    scan = os.scandir

    def refuse(folder: str) -> Any:
        if folder.endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read every folder
    found = find_clips([str(tmp_path)])
    assert found.clips == [str(tmp_path / "happy.mp4")]
    [note] = found.notes()
    assert note.startswith("1 folder was skipped that cannot be read")
    assert str(tmp_path / "closed") in note
    assert "MP4" not in note


def test_names_of_any_kind(tmp_path: Path) -> None:
    names = ["a b.mp4", "[x] 100%.mp4", "情感/快乐.mp4", "a\nb.mp4", "-dash.mp4"]
    write(tmp_path, *names)
    assert find_clips([str(tmp_path)]).clips == sorted(str(tmp_path / name) for name in names)


def matched(clips: list[str], names: list[str], root: str = "/d") -> dict[str, str]:
    rows = [{"name": name, "transcript": name} for name in names]
    found = match(clips, rows, table=Path("said.csv"), roots=[root])
    told = {*found.unmatched, *found.ambiguous, *(row["name"] for row in found.rows.values())}
    assert told == set(names)
    return {clip: row["name"] for clip, row in found.rows.items()}


DUPLICATES = ["/d/train/a.mp4", "/d/dev/a.mp4", "/d/b.mp4"]


@pytest.mark.parametrize(
    ("clips", "names", "wanted"),
    [
        (DUPLICATES, ["train/a.mp4", "dev/a.mp4"], ["train/a.mp4", "dev/a.mp4", None]),
        (DUPLICATES, ["train/a", "./dev/a", "b"], ["train/a", "./dev/a", "b"]),
        (DUPLICATES, ["/d/train/a.mp4"], ["/d/train/a.mp4", None, None]),
        (DUPLICATES, ["a.mp4", "b.avi"], [None, None, "b.avi"]),
        (DUPLICATES, ["D:\\old\\dev\\a.mp4"], [None, "D:\\old\\dev\\a.mp4", None]),
        (DUPLICATES, ["/elsewhere/b.mp4"], [None, None, "/elsewhere/b.mp4"]),
        (["/d/train/a.mp4"], ["train/a.mp4", "dev/a.mp4"], ["train/a.mp4"]),
        (["/d/a.mp4"], ["train/a.mp4", "dev/a.mp4"], [None]),
        (["/d/a.mp4", "/d/x/a.mp4"], ["a.mp4", "x/a.mp4"], ["a.mp4", "x/a.mp4"]),
        (["/d/a.mp4", "/d/a.jpg"], ["a", "a.jpg"], ["a", "a.jpg"]),
        (["/d/v1.2.mp4", "/d/v1.mp4"], ["v1.2", "v1"], ["v1.2", "v1"]),
        (["/d/cafe\u0301.mp4"], ["caf\u00e9"], ["caf\u00e9"]),
        (["https://h/v/a%20b.mp4?key=1"], ["a b.mp4"], ["a b.mp4"]),
        (["on/server/a.mp4"], ["on/server/a.mp4"], ["on/server/a.mp4"]),
        (["/d/a.mp4"], ["b.mp4", ""], [None]),
    ],
)
def test_names_are_paths(clips: list[str], names: list[str], wanted: list[str | None]) -> None:
    assert matched(clips, names) == {
        clip: name for clip, name in zip(clips, wanted, strict=True) if name is not None
    }


def test_rows_that_contradict_each_other() -> None:
    with pytest.raises(CommandError, match="different rows"):
        matched(["/d/a.mp4"], ["a.mp4", "a"])


@pytest.mark.costly
def test_a_large_table_is_matched_in_time_that_grows_with_it() -> None:
    """All clips have one name, in folders of their own; half of the rows fit all of them."""
    clips = [f"/d/{index}/video.mp4" for index in range(20_000)]
    names = [f"{index}/video" for index in range(10_000)] + ["x/video", "video.avi"] * 5_000
    assert len(matched(clips, names)) == 10_000


def test_the_same_name_in_two_folders(server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, "clips/train/dia0_utt0.mp4", "clips/dev/dia0_utt0.mp4", "clips/other.mp4")
    table = tmp_path / "said.csv"
    table.write_text("name,transcript\ntrain/dia0_utt0.mp4,TRAIN\ndev/dia0_utt0.mp4,DEV\ngone,x\n")
    words = ("--server", server.url, "--transcripts", table)
    done = invoke("analyze", tmp_path / "clips", *words)
    said = {Path(asked["video"]).parent.name: asked.get("transcript") for asked in server.asked}
    assert said == {"train": "TRAIN", "dev": "DEV", "clips": None}
    assert "no clip is named gone" in done.stderr
    assert f"no row for {tmp_path}/clips/other.mp4" in done.stderr
    table.write_text("name,transcript\ndia0_utt0.mp4,x\nother,y\n")
    done = invoke("analyze", tmp_path / "clips", *words)
    assert "several clips fit dia0_utt0.mp4" in done.stderr


def test_a_table_that_matches_nothing_is_told(server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, "clips/happy.mp4")
    (tmp_path / "said.csv").write_text("name,transcript\nother,x\n")
    words = ("--server", server.url, "--transcripts", tmp_path / "said.csv")
    done = invoke("analyze", tmp_path / "clips", *words)
    assert done.exit_code == 2
    assert "about none of the clips" in done.stderr
    assert server.asked == []


def test_evaluating_the_same_name_in_two_folders(server: FakeServer, tmp_path: Path) -> None:
    root, table = tmp_path / "root", tmp_path / "labels.csv"
    write(root, "happy/1.mp4", "sad/1.mp4", "sad/._1.mp4")
    table.write_text("name,label,transcript\nhappy/1,happy,H\nsad\\1.mp4,sad,S\n")
    words = ("--csv", table, "--root", root, "--server", server.url, "--out", tmp_path / "out")
    done = invoke("evaluate", *words)
    assert done.exit_code == 0, done.stderr
    said = {Path(asked["video"]).parent.name: asked["transcript"] for asked in server.asked}
    assert said == {"happy": "H", "sad": "S"}
    assert "1 hidden file or sidecar was skipped" in done.stderr
    table.write_text("name,label\n1,happy\ngone,sad\nlost,sad\n")
    done = invoke("evaluate", *words)
    assert done.exit_code == 2
    assert "no clip is named gone, lost" in done.stderr
    assert "several clips fit 1" in done.stderr


def test_a_file_that_a_table_names_is_a_clip(server: FakeServer, tmp_path: Path) -> None:
    """Whatever its ending: `.npz` holds features, and a hidden one is named."""
    root, table = tmp_path / "root", tmp_path / "labels.csv"
    write(root, "happy.npz", ".sad.mp4")
    table.write_text("name,label\nhappy.npz,happy\n.sad.mp4,sad\n")
    words = ("--csv", table, "--root", root, "--server", server.url, "--out", tmp_path / "out")
    assert invoke("evaluate", *words).exit_code == 0
    assert sorted(Path(asked["video"]).name for asked in server.asked) == [".sad.mp4", "happy.npz"]


def test_a_missing_file_among_others(server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, "happy.mp4")
    typo = tmp_path / "missing-typo.mp4"
    done = invoke("analyze", tmp_path, typo, "--server", server.url)
    assert done.exit_code == 1
    assert f"{typo}: There is no such file" in done.stderr
    assert "media root" not in done.stderr
