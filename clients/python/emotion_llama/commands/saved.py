"""Reads a results file, including one from another program or a killed run."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.records import unguarded
from emotion_llama.commands.text import decode, take_long_cells

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class SavedRow:
    """Holds a file's row about one clip.

    Args:
        video: the clip's name.
        error: the error, or an empty text.
        options: the options of the request; None if the file does not have them.
        transcript: the words that were sent to the server; None if the file does not have them.
        kept: the row itself: a JSON line, or cells by their columns.
    """

    video: str
    error: str
    options: str | None
    transcript: str | None
    kept: str | dict[str, str]


@dataclass
class Saved:
    """Holds the contents of a results file."""

    rows: list[SavedRow] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    """The columns of a CSV file."""

    @property
    def done(self) -> dict[str, SavedRow]:
        """Return the rows by their clips."""
        return {row.video: row for row in self.rows}

    @property
    def failed(self) -> set[str]:
        """Return the clips that failed."""
        return {row.video for row in self.rows if row.error}


def read_saved(file: Path) -> Saved:
    """Return the contents of a results file.

    The encoding, line ends, delimiters and the order of the columns may be another program's. An
    incomplete last line is left out, so that its clip is analysed again.

    Raises:
        CommandError: the file cannot be read, or has other contents.
    """
    try:
        text = _text(file.read_bytes())
        return _read_csv(text) if file.suffix.lower() == ".csv" else _read_json_lines(text)
    except OSError as error:
        raise CommandError(f"{file} cannot be used: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise CommandError(f"{file} cannot be used: {error}.") from error


def _text(data: bytes) -> str:
    """Return a file's text without an incomplete last character."""
    whole, end, rest = data.rpartition(b"\n")
    if not rest or b"\0" in data[:1000]:
        return decode(data)[0]
    if not end:
        return data.decode("utf-8-sig", "replace")
    text, encoding = decode(whole + end)
    return text + rest.decode(encoding, "replace")


def _read_json_lines(text: str) -> Saved:
    lines = [line for line in (line.strip() for line in text.split("\n")) if line]
    saved = Saved()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            if number == len(lines) and (saved.rows or _begins_a_record(line)):
                break  # incomplete
            raise ValueError("it holds something else than clips' records") from None
        saved.rows.append(_json_row(record, line))
    return saved


def _begins_a_record(line: str) -> bool:
    start = '{"video":'
    return start.startswith(line[: len(start)])


def _json_row(record: Any, line: str) -> SavedRow:
    if not isinstance(record, dict) or not isinstance(record.get("video"), str):
        raise ValueError("it holds something else than clips' records")
    if not {"emotion", "error"} & record.keys():
        raise ValueError("it holds something else than clips' records")
    return SavedRow(
        video=record["video"],
        error=str(record.get("error") or ""),
        options=record.get("options"),
        transcript=(record["transcript"] or "") if "transcript" in record else None,
        kept=line,
    )


def _read_csv(text: str) -> Saved:
    if "\n" not in text.rstrip("\r") and "video,emotion".startswith(text[:13]):
        return Saved()  # incomplete first line
    take_long_cells(text)
    for delimiter in _DELIMITERS:
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        if "video" in header and {"emotion", "error"} & set(header):
            break
    else:
        raise ValueError("it holds something else than clips' records")
    saved = Saved(columns=[name for name in header if name])
    rows = [row for row in rows if any(row)]
    for row in rows:
        cells = {name: cell for name, cell in zip(header, row, strict=False) if name}
        is_cut = row is rows[-1] and not _is_whole(cells, len(row) >= len(header))
        if cells.get("video") and not is_cut:
            saved.rows.append(_csv_row(cells))
    return saved


def _is_whole(cells: dict[str, str], has_all: bool) -> bool:
    """Return whether the last row is complete.

    A program that saved the file again may have added empty cells to an incomplete row. Therefore
    the numbers count too: all probabilities are present if they sum to 1.
    """
    if cells.get("error"):
        return has_all
    shares = [cell for name, cell in cells.items() if name.startswith("p(")]
    try:
        total = sum(float(share.replace(",", ".") or 0) for share in shares)
        return has_all and bool(cells.get("emotion")) and (not shares or abs(total - 1) < 0.01)
    except ValueError:
        return False


def _csv_row(cells: dict[str, str]) -> SavedRow:
    transcript = cells.get("transcript")
    return SavedRow(
        video=unguarded(cells["video"]),
        error=unguarded(cells.get("error", "")),
        options=cells.get("options"),
        transcript=None if transcript is None else unguarded(transcript),
        kept=cells,
    )
