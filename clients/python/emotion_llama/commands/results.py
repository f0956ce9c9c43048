"""The file of results of many analyses: one line for each clip, none twice, whole after a kill."""

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
    """Raise CommandError unless a file's name says in which form it is to be written."""
    if file.suffix.lower() not in FORMS:
        raise CommandError(
            f"--out: {file.name!r} ends in {file.suffix or 'nothing'}; "
            "results are written as .jsonl or .csv."
        )


def begin(file: Path, *, resume: bool) -> Saved:
    """Return what a file of results holds already: of a clip that was asked again, the last row.

    Raises:
        CommandError: it may not be there but is, or cannot be used.
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
    """A file to which results are added, each line in one write.

    What another program made of the file is brought into our form first: UTF-8, for CSV with the
    mark by which spreadsheets know it.

    Args:
        file: to write; it is made with its folders.
        saved: the rows that it holds and keeps.

    Raises:
        CommandError: the file cannot be written.
    """

    def __init__(self, file: Path, saved: Saved) -> None:
        self._name = file
        self._file = Path(os.path.realpath(file))  # a link stays one
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
        """Write one clip's line.

        Raises:
            OSError: the file cannot be written any more.
        """
        self._has_twins |= record["video"] in self._failed
        if not self._is_csv:
            self._stream.write(_encoded(json_line(record)))
            return
        cells = csv_cells(record)
        columns = ordered([*self._columns, *cells])
        if columns != self._columns:
            # The first row, or the first answer behind failures, which name no labels.
            rows = read_saved(self._name).rows
            self._columns = columns
            self._write_anew(self._whole(rows))
        self._stream.write(_encoded(_csv_text([cells], columns)))

    def close(self) -> None:
        """Close the file; one that was made for nothing is taken away.

        The row of a clip that failed stands until another run has asked about it again.
        """
        self._stream.close()
        if self._is_new and self._file.stat().st_size == 0:
            self._file.unlink()
        elif self._has_twins:
            Results(self._name, begin(self._name, resume=True)).close()

    def _whole(self, rows: Iterable[SavedRow]) -> bytes:
        """Return a file with these rows."""
        kept = [row.kept for row in rows]
        if not self._is_csv:
            return _encoded("".join(f"{line}\n" for line in kept))
        if not self._columns:
            return b""
        header = dict(zip(self._columns, self._columns, strict=True))
        cells = [row for row in kept if isinstance(row, dict)]
        return codecs.BOM_UTF8 + _encoded(_csv_text([header, *cells], self._columns))

    def _write_anew(self, data: bytes) -> None:
        """Replace the file as a whole: there is never half of one."""
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
