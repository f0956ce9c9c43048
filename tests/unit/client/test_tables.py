"""Tables in the encodings and with the delimiters of people and spreadsheets."""

import csv
from pathlib import Path

import pytest

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.tables import read_table

COLUMNS = ("name", "transcript")
CHINESE = "name,transcript\nclip1,今天我很高兴，见到你\nclip2,你好\n"
WANTED = [
    {"name": "clip1", "transcript": "今天我很高兴，见到你"},
    {"name": "clip2", "transcript": "你好"},
]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk", "gb18030")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "said.csv"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_delimiters(table: Path, encoding: str, delimiter: str, end: str) -> None:
    text = CHINESE.replace(",", delimiter).replace("\n", end)
    table.write_bytes(text.encode(encoding))
    assert read_table(table, COLUMNS) == WANTED


@pytest.mark.parametrize(
    "text",
    [
        "Name, Transcript\nclip1,今天我很高兴，见到你\nclip2,你好",
        "\nid,transcript,NAME\n1,今天我很高兴，见到你,clip1\n\n2,你好,clip2\n,,\n",
        "sep=;\nname;transcript\nclip1;今天我很高兴，见到你\nclip2;你好\n",
        '"name"\t"transcript"\n"clip1"\t"今天我很高兴，见到你"\n"clip2"\t你好\n',
        "name,transcript,\nclip1,今天我很高兴，见到你,\nclip2,你好,,,\n",
    ],
)
def test_as_people_write_it(table: Path, text: str) -> None:
    table.write_text(text, encoding="utf-8")
    rows = [{name: row[name] for name in COLUMNS} for row in read_table(table, COLUMNS)]
    assert rows == WANTED


def test_commas_in_a_table_with_other_delimiters(table: Path) -> None:
    table.write_text('name;transcript\nclip1;Well, well, well\nclip2;"a; b"\nclip3\n')
    said = [row["transcript"] for row in read_table(table, COLUMNS)]
    assert said == ["Well, well, well", "a; b", ""]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("name,transcript\nclip1,Café, s'il vous plaît\n".encode("latin-1"), "save it in UTF-8"),
        ("name,transcript\nclip1,こんにちは、元気ですか\n".encode("shift-jis"), "save it in UTF-8"),
        (b"PK\x03\x04\x14\0\6\0", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook"),
        (b"name,words\nclip1,x\n", "no column 'transcript'; its columns are: name, words"),
        (b"", "no column 'name'"),
        (b"name,transcript\nclip1,Well, well, well\n", "line 2"),
        (b'name,transcript\nclip1,"Well\nclip2,x\n', "cannot be read"),
        (b"\xff\xfename,transcript", "cannot be read|no column"),
    ],
)
def test_what_cannot_be_read_is_named(table: Path, data: bytes, message: str) -> None:
    table.write_bytes(data)
    with pytest.raises(CommandError, match=message):
        read_table(table, COLUMNS)


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(CommandError, match="cannot be read"):
            read_table(place, COLUMNS)


def test_a_long_text(table: Path) -> None:
    table.write_text(f"name,transcript\nclip1,{'well ' * 100_000}\n")
    [row] = read_table(table, COLUMNS)
    assert len(row["transcript"]) == 500_000


def test_a_short_table_does_not_shorten_the_cells_of_a_longer_one(table: Path) -> None:
    long = "x" * 200_000
    table.write_text("name,transcript\nclip,a\n")
    read_table(table, COLUMNS)
    assert csv.field_size_limit() >= 128 * 1024  # as Python sets it for all of the process
    table.write_text(f"name,transcript\nclip,{long}\n")
    assert read_table(table, COLUMNS) == [{"name": "clip", "transcript": long}]
