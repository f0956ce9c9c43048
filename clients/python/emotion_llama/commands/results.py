"""Writes the results file of many analyses: one line for each clip, complete even after a kill."""

import codecs
import csv
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.records import csv_cells, guarded, json_line, ordered
from emotion_llama.commands.saved import Saved, SavedRow, read_saved

FORMS = (".jsonl", ".csv")


def check_form(file: Path) -> None:
    """Raise CommandError unless the file's name has the ending of a known format."""
    if file.suffix.lower() not in FORMS:
        raise CommandError(
            f"--out: {file.name!r} ends in {file.suffix or 'nothing'}; "
            "results are written as .jsonl or .csv."
        )


def begin(file: Path, *, resume: bool) -> Saved:
    """Return the rows of a results file; of a clip with several rows, the last one.

    Raises:
        CommandError: the file exists but must not, or cannot be used.
    """
    check_form(file)
    try:
        is_new = not file.exists() or file.stat().st_size == 0
    except OSError as error:
        raise CommandError(f"{file} cannot be used: {error.strerror}.") from error
    if not is_new and not resume:
        raise CommandError(
            f"{file} is there already: add --resume to go on with it, or name another file."
        )
    if is_new:
        return Saved()
    saved = read_saved(file)
    return Saved(list(saved.done.values()), saved.columns)


class Results:
    """Adds results to a file, each line in one write.

    A file that another program has saved is first converted to our form: UTF-8, and for CSV the
    mark by which spreadsheets recognise it.

    Args:
        file: the file to write; it is created with its folders.
        saved: the rows that the file already has and keeps.

    Raises:
        CommandError: the file cannot be written.
    """

    def __init__(self, file: Path, saved: Saved) -> None:
        self._name = file
        self._file = Path(os.path.realpath(file))  # a link remains a link
        self._is_csv = file.suffix.lower() == ".csv"
        self._columns = ordered(saved.columns) if saved.columns else []
        self._failed, self._has_twins = saved.failed, False
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._is_new = not self._file.exists()
            self._stream = self._file.open("ab", buffering=0)
            whole = self._whole(saved.rows)
            if self._file.read_bytes() != whole:
                self._write_anew(whole)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error

    def add(self, record: dict[str, Any]) -> None:
        """Write the line of one clip.

        Raises:
            OSError: the file can no longer be written.
        """
        self._has_twins |= record["video"] in self._failed
        if not self._is_csv:
            self._stream.write(_encoded(json_line(record)))
            return
        cells = csv_cells(record)
        columns = ordered([*self._columns, *cells])
        if columns != self._columns:
            # This is the first row, or the first answer after failures, which have no labels.
            rows = read_saved(self._name).rows
            self._columns = columns
            self._write_anew(self._whole(rows))
        self._stream.write(_encoded(_csv_text([cells], columns)))

    def close(self) -> None:
        """Close the file; remove it if it is new and empty.

        The row of a failed clip remains until another run has analysed the clip again.
        """
        self._stream.close()
        if self._is_new and self._file.stat().st_size == 0:
            self._file.unlink()
        elif self._has_twins:
            Results(self._name, begin(self._name, resume=True)).close()

    def _whole(self, rows: Iterable[SavedRow]) -> bytes:
        """Return the contents of a file with these rows."""
        kept = [row.kept for row in rows]
        if not self._is_csv:
            return _encoded("".join(f"{line}\n" for line in kept))
        if not self._columns:
            return b""
        header = dict(zip(self._columns, self._columns, strict=True))
        cells = [row for row in kept if isinstance(row, dict)]
        return codecs.BOM_UTF8 + _encoded(_csv_text([header, *cells], self._columns))

    def _write_anew(self, data: bytes) -> None:
        """Replace the whole file in one step, so that it is never incomplete."""
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        draft.write_bytes(data)
        shutil.copymode(self._file, draft)
        draft.replace(self._file)
        self._stream.close()
        self._stream = self._file.open("ab", buffering=0)


def _csv_text(rows: Iterable[dict[str, str]], columns: list[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writerows({name: guarded(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
