"""Implements `emotion-llama evaluate`, which measures how often a server's labels are right."""

import json
import sys
from collections.abc import Sequence
from os import fspath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from emotion_llama.commands.asking import Server, ask_all
from emotion_llama.commands.clips import look_for
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.flags import Address, ApiKey, Concurrency
from emotion_llama.commands.matching import match
from emotion_llama.commands.metrics import Metrics, confusion, measure
from emotion_llama.commands.picture import confusion_svg
from emotion_llama.commands.records import as_record
from emotion_llama.commands.results import Results
from emotion_llama.commands.saved import Saved
from emotion_llama.commands.tables import Row, read_table
from emotion_llama.commands.terminal import printable
from emotion_llama.commands.words import as_options
from emotion_llama.connection import DEFAULT_URL
from emotion_llama.many import Analysis


def evaluate(
    csv: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="table `name,label[,transcript]`, as MER2023's; a name is a path in --root",
        ),
    ],
    root: Annotated[Path, typer.Option(metavar="DIR", help="folder of the clips")],
    server: Address = DEFAULT_URL,
    api_key: ApiKey = None,
    concurrency: Concurrency = 8,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="folder for metrics.json, confusion.svg and results.jsonl"
        ),
    ] = Path("evaluation"),
) -> None:
    """Measure accuracy and calibration on labelled clips."""
    try:
        asked_server = Server.of(server, api_key)
        rows = _rows(csv, root)
        results = Results(_made(out) / "results.jsonl", Saved())
    except CommandError as error:
        fail("evaluate", error)
    labels = list(dict.fromkeys(row["label"] for row in rows.values()))
    words = {clip: row.get("transcript", "") for clip, row in rows.items()}
    found: list[Analysis] = []

    def take(analysis: Analysis) -> None:
        clip = fspath(analysis.video_path)
        found.append(analysis)
        record = as_record(analysis, transcript=words[clip], options=f"labels={labels}")
        results.add({"label": rows[clip]["label"], **record})

    try:
        is_over = ask_all(
            asked_server,
            list(rows),
            take,
            concurrency=concurrency,
            task="emotion",
            own_options=as_options(words, {}),
            labels=labels,
        )
    except CommandError as error:
        results.close()
        fail("evaluate", error, code=1)
    results.close()
    failed = [analysis for analysis in found if analysis.response is None]
    for analysis in failed:
        print(f"{printable(fspath(analysis.video_path))}: {analysis.error}", file=sys.stderr)
    if len(failed) < len(found):
        _report(labels, rows, found, out)
    if not is_over:
        note("evaluate", f"Stopped: the numbers are over {len(found)} of {len(rows)} clips.")
        sys.exit(INTERRUPTED)
    sys.exit(1 if failed else 0)


def _rows(table: Path, root: Path) -> dict[str, Row]:
    """Return each clip's path and its row.

    Raises:
        CommandError: a clip does not exist, or the table has fewer than two labels.
    """
    rows = read_table(table, ("name", "label"))
    if not root.is_dir():
        raise CommandError(f"--root: there is no folder {root}.")
    seen = look_for([str(root)])
    for sentence in seen.notes():
        note("evaluate", sentence)
    clips = [*seen.clips, *_named(rows, root)]
    found = match(list(dict.fromkeys(clips)), rows, table=table, roots=[str(root)])
    if found.unmatched or found.ambiguous:
        raise CommandError(" ".join([f"{root}:", *found.notes(table, ())]))
    for row in found.rows.values():
        row["label"] = row["label"].strip()
        if not row["label"]:
            raise CommandError(f"{table} has no label for {row['name']!r}.")
    if len({row["label"] for row in found.rows.values()}) < 2:
        raise CommandError(f"{table} holds fewer than two labels.")
    return found.rows


def _named(rows: Sequence[Row], root: Path) -> list[str]:
    """Return the existing files that a table names, whatever their endings are."""
    files = [(root / row["name"].strip()).absolute() for row in rows]
    return [str(file) for file in files if file.is_file()]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--out: {folder} cannot be made: {error.strerror}.") from error
    return folder


def _report(labels: list[str], rows: dict[str, Row], found: list[Analysis], out: Path) -> None:
    answers = [(rows[fspath(a.video_path)]["label"], a.response) for a in found if a.response]
    true = [label for label, _ in answers]
    told = [response.emotion for _, response in answers]
    labels = list(dict.fromkeys([*labels, *told]))  # a server may return other labels
    counts = confusion(labels, true, told)
    right = [one == other for one, other in zip(true, told, strict=True)]
    metrics = measure(counts, [response.confidence for _, response in answers], right)
    facts = {
        "clips": len(answers),
        "failed": len(found) - len(answers),
        "model": answers[0][1].model,
        **metrics.model_dump(),
        "labels": labels,
        "confusion": counts,
    }
    (out / "metrics.json").write_text(
        json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / "confusion.svg").write_text(confusion_svg(labels, counts), encoding="utf-8")
    _show(metrics, len(answers), out)


def _show(metrics: Metrics, clips: int, out: Path) -> None:
    table = Table("measure", f"over {clips} clips")
    for name, value in metrics.model_dump().items():
        table.add_row(name.replace("_", " "), f"{value:.4f}")
    Console().print(table)
    print(f"Wrote {out / 'metrics.json'}, {out / 'confusion.svg'} and {out / 'results.jsonl'}.")
