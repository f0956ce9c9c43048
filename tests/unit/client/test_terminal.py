"""What `analyze` shows in a terminal of 80 characters."""

from pathlib import Path
from typing import Any

import pytest

from emotion_llama.commands.terminal import short_names
from tests.unit.client.command_server import FakeServer, shown

NOTICE = "A demonstration: it does not recognise the emotions of real people."


def window(start: float, emotion: str) -> dict[str, Any]:
    numbers = {"emotion": emotion, "confidence": 1.0, "probabilities": {emotion: 1.0}}
    return {"start": start, "end": start + 1, **numbers}


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows; a row that goes on in the next line has several."""
    assert max(map(len, text.splitlines())) <= 80, text
    rows = [line.strip("│").split("│") for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row] for row in rows]


NAMES = {
    "folders": ["train/dia0_utt0.mp4", "dev/dia0_utt0.mp4"],
    "deep": [f"{'a_long_folder_name/' * 6}{name}/clip.mp4" for name in ("one", "two")],
    "long": [f"{'very_long_' * 9}{number}_{'end_' * 9}.mp4" for number in (1, 2)],
    "chinese": [f"情感/数据集/说话人{number}/高兴的片段.mp4" for number in (1, 2)],
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("has_timeline", [False, True])
def test_clips_are_told_apart(
    server: FakeServer, tmp_path: Path, kind: str, has_timeline: bool
) -> None:
    for name in NAMES[kind]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    server.more = {"explanation": "The corners of the mouth are up. " * 5, "notice": NOTICE}
    if has_timeline:
        server.more["timeline"] = [window(second, "happy") for second in range(40)]
    text = shown("analyze", tmp_path, "--server", server.url)
    names, current = [], ""
    for cells in table(text):
        if cells[1]:  # the first line of a row
            names.append(current)
            current = ""
        current += cells[0]
    names = [*names[1:], current]
    assert len(set(names)) == 2, text
    assert [name[-4:] for name in names] == [".mp4", ".mp4"]
    assert text.replace("\n", "").count("real people") == 1


def test_a_timeline_is_a_strip(server: FakeServer) -> None:
    seconds = ["happy"] * 3 + ["sad"] * 2 + ["surprise"]
    server.more = {"timeline": [window(start, emotion) for start, emotion in enumerate(seconds)]}
    text = shown("analyze", "clip.mp4", "--server", server.url)
    assert "hhhssu" in text
    assert "h happy, s sad, u surprise" in text


def test_a_long_timeline_is_a_small_strip(server: FakeServer) -> None:
    windows = [window(second, "happy" if second < 500 else "sad") for second in range(1000)]
    server.more = {"timeline": windows}
    assert "hhhhhhssssss" in shown("analyze", "clip.mp4", "--server", server.url)


def test_control_characters_do_not_reach_the_terminal(server: FakeServer) -> None:
    server.more = {"explanation": "a\x1b]0;title\x07b", "notice": "c\x1b[2Jd"}
    text = shown("analyze", "clip\x1b[31m.mp4", "--server", server.url)
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("videos", "names"),
    [
        (["/d/a/1.mp4", "/d/b/1.mp4"], ["a/1.mp4", "b/1.mp4"]),
        (["/d/a/1.mp4"], ["1.mp4"]),
        (["/d/a/1.mp4", "https://h/1.mp4"], ["1.mp4", "https://h/1.mp4"]),
        (["/d/1.mp4", "1.mp4"], ["/d/1.mp4", "1.mp4"]),
        (["data:video/mp4;base64,AAAA"], ["data:video/mp4;base64"]),
    ],
)
def test_names_without_the_folders_that_all_have(videos: list[str], names: list[str]) -> None:
    assert short_names(videos) == names
