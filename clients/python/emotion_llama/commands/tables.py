"""Reads the tables of a command: CSV as spreadsheets and people write it."""

import csv
import io
from pathlib import Path

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.text import decode, take_long_cells

_DELIMITERS = (",", ";", "\t", "|")

Row = dict[str, str]


def read_table(file: Path, columns: tuple[str, ...]) -> list[Row]:
    """Return the rows of a table that has at least these columns, without blank ones.

    The text may be UTF-8, UTF-16 or GBK, with `,`, `;`, tabs or `|` between the cells. Case and
    blanks around the names of the columns do not count.

    Raises:
        CommandError: the table cannot be read, or lacks a column.
    """
    try:
        text, _ = decode(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error
    text, told = _told_delimiter(text.lstrip("\r\n"))
    take_long_cells(text)
    try:
        delimiter = told or _delimiter(text, columns)
        header, *rows = _cells(text, delimiter) or [(1, [])]
    except csv.Error as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error
    names = _names(header[1])
    if missing := [name for name in columns if name not in names]:
        there = ", ".join(filter(None, names)) or "none"
        raise CommandError(f"{file} has no column {missing[0]!r}; its columns are: {there}.")
    return [
        _row(file, number, names, cells) for number, cells in rows if any(map(str.strip, cells))
    ]


def _told_delimiter(text: str) -> tuple[str, str]:
    """Remove the line `sep=;`, which sets Excel's delimiter."""
    first, _, rest = text.partition("\n")
    told = first.strip("\r").lower()
    return (rest, told[4]) if told.startswith("sep=") and len(told) == 5 else (text, "")


def _delimiter(text: str, columns: tuple[str, ...]) -> str:
    """Return the delimiter between the columns of the header."""
    for delimiter in _DELIMITERS:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if set(columns) <= set(_names(header)):
            return delimiter
    return _DELIMITERS[0]


def _cells(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return each line's number and cells; the first line is the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [(reader.line_num, cells) for cells in reader]


def _names(header: list[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _row(file: Path, number: int, names: list[str], cells: list[str]) -> Row:
    if any(cell.strip() for cell in cells[len(names) :]):
        raise CommandError(
            f"{file} has more cells than columns in line {number}: "
            "a text with delimiters in it needs quotes around it."
        )
    return dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))
