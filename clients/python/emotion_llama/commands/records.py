"""Formats the result of one clip as a JSON line or as the cells of a CSV row."""

import json
import re
from collections.abc import Mapping
from typing import Any

from emotion_llama.many import Analysis

_HEAD = ("video", "emotion", "confidence", "answer", "answer_matches", "explanation")
_TAIL = ("timeline", "transcript", "options", "warnings", "error")
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""The characters that start a formula in spreadsheets, which a clip could inject."""
_GUARD = "'"
_UNSAFE = re.compile("[\ud800-\udfff\u0085\u2028\u2029]")
"""Matches surrogates (bytes of a file name that are no text) and unusual line ends."""


def as_record(analysis: Analysis, *, transcript: str | None, options: str) -> dict[str, Any]:
    """Return the record of a clip, including one that failed.

    Args:
        analysis: the answer or the error.
        transcript: the words that were sent to the server, or that it heard.
        options: the options of all clips, so that a later run can continue with the same ones.
    """
    if analysis.response is None:
        answer: dict[str, Any] = {"emotion": None, "confidence": None}
        error: str | None = str(analysis.error) or type(analysis.error).__name__
    else:
        answer, error = analysis.response.model_dump(mode="json"), None
    asked = {"transcript": transcript, "options": options, "error": error}
    return {"video": str(analysis.video_path), **answer, **asked}


def json_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line, in which no character counts as a line end."""
    text = json.dumps(record, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def csv_cells(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a record by their columns; each text has one line."""
    probabilities = record.get("probabilities") or {}
    cells = {name: record.get(name) for name in _HEAD}
    cells |= {f"p({label})": share for label, share in probabilities.items()}
    if record.get("timeline") is not None:
        cells["timeline"] = json.dumps(record["timeline"], ensure_ascii=False)
    cells["transcript"], cells["options"] = record.get("transcript"), record.get("options")
    cells["warnings"] = " ".join(warning["message"] for warning in record.get("warnings") or ())
    cells["error"] = record.get("error")
    flat = {" ".join(name.split()): _flat(value) for name, value in cells.items()}
    return flat | {"video": str(record["video"])}


def ordered(columns: list[str]) -> list[str]:
    """Return the columns of a CSV file in our order.

    The columns of other programs and the probabilities stand in the middle and keep their order.
    `error` is last: it is empty or text, so that a row with all cells is complete.
    """
    others = [name for name in dict.fromkeys(columns) if name not in _HEAD + _TAIL]
    tail = [name for name in _TAIL if name != "timeline" or name in columns]
    return [*_HEAD, *others, *tail]


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return _GUARD + cell if _is_formula(cell) else cell


def unguarded(cell: str) -> str:
    """Return the original text of a guarded cell."""
    return cell[1:] if cell[:1] == _GUARD and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    starts_so = cell.startswith(("\t", "\r")) or cell.lstrip().startswith(_FORMULA_STARTS)
    return starts_so and not _is_number(cell)


def _flat(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
