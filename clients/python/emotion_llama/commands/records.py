"""The output file of many analyses: one line for each clip, none twice, whole after a kill -9."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from emotion_llama.commands.failure import CommandError
from emotion_llama.schema import EmotionResponse

_FIELDS = ("emotion", "confidence", "answer", "answer_matches", "explanation")


class Records:
    """JSON lines, or CSV where the file's name ends so.

    Each line goes out in one write, and what a kill cut short is cut off before going on.

    Args:
        file: to write.
        resume: whether it may be there already, with clips that are done.

    Raises:
        CommandError: it may not be there but is, or cannot be read or written.
    """

    def __init__(self, file: Path, *, resume: bool) -> None:
        self._is_csv = file.suffix.lower() == ".csv"
        self.done: set[str] = set()
        """The clips that the file holds."""
        self._columns: list[str] = []
        if file.exists() and not resume:
            raise CommandError(f"{file} is there already: add --resume to go on with it.")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._stream = file.open("ab+", buffering=0)
            self._stream.seek(0)
            kept = self._stream.read()
            whole = kept[: kept.rfind(b"\n") + 1]
            self._check(kept)
            self._read(whole.decode(errors="surrogateescape"))
            self._stream.truncate(len(whole))
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise CommandError(f"{file} cannot be used: {error}.") from error

    def add(self, video: str, response: EmotionResponse) -> None:
        """Write one clip's line."""
        record = as_record(video, response)
        line = self._csv_line(record) if self._is_csv else json_line(record)
        self._stream.write(line.encode(errors="surrogateescape"))
        self.done.add(video)

    def close(self) -> None:
        self._stream.close()

    def _check(self, kept: bytes) -> None:
        """Nothing is cut off a file of something else."""
        start = b"video," if self._is_csv else b'{"video":'
        if not start.startswith(kept[: len(start)]):
            raise ValueError("it holds something else than clips' records")

    def _read(self, text: str) -> None:
        if self._is_csv:
            csv.field_size_limit(len(text) + 1)  # a long timeline is more than csv's own limit
            reader = csv.DictReader(io.StringIO(text, newline=""))
            self._columns = list(reader.fieldnames or ())
            self.done = {row["video"] for row in reader}
        else:
            self.done = {json.loads(line)["video"] for line in text.splitlines() if line}

    def _csv_line(self, record: dict[str, Any]) -> str:
        labels = {f"p({label})": value for label, value in record["probabilities"].items()}
        row = {"video": record["video"], **{name: record[name] for name in _FIELDS}, **labels}
        if record["timeline"] is not None:
            row["timeline"] = json.dumps(record["timeline"], ensure_ascii=False)
        text = io.StringIO()
        if not self._columns:
            self._columns = list(row)
            csv.writer(text, lineterminator="\n").writerow(self._columns)
        writer = csv.DictWriter(text, self._columns, extrasaction="ignore", lineterminator="\n")
        # A record is one line, so that a line that was cut short can be told from a whole one.
        flat = {k: " ".join(v.split()) if isinstance(v, str) else v for k, v in row.items()}
        writer.writerow(flat | {"video": record["video"]})
        return text.getvalue()


def as_record(video: str, response: EmotionResponse) -> dict[str, Any]:
    """What is written about a clip."""
    return {"video": video, **response.model_dump(mode="json")}


def json_line(record: dict[str, Any]) -> str:
    """One line; no character in it is taken for the end of one."""
    return json.dumps(record, ensure_ascii=True) + "\n"
