"""`emotion-llama evaluate`: how often a server is right about clips whose labels are known."""

import json
import sys
from os import PathLike, fspath
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from emotion_llama.client import DEFAULT_URL, KEY_VARIABLE, EmotionLLaMA
from emotion_llama.commands.clips import VIDEOS, bare_name, read_table
from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.metrics import Metrics, confusion, measure
from emotion_llama.commands.picture import confusion_svg
from emotion_llama.commands.progress import progress
from emotion_llama.many import Analysis
from emotion_llama.options import Options


def evaluate(
    csv: Annotated[Path, typer.Option(help="table `name,label[,transcript]`, as MER2023's")],
    root: Annotated[Path, typer.Option(help="folder of the clips")],
    server: Annotated[str, typer.Option(help="address of the server")] = DEFAULT_URL,
    api_key: Annotated[str | None, typer.Option(envvar=KEY_VARIABLE, help="for the server")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="clips asked about at once")] = 8,
    out: Annotated[Path, typer.Option(help="folder for metrics.json and confusion.svg")] = Path(
        "evaluation"
    ),
) -> None:
    """Measure accuracy, F1, recalls and calibration on a table of labelled clips."""
    try:
        rows = _rows(csv, root)
    except CommandError as error:
        print(f"emotion-llama evaluate: {error}", file=sys.stderr)
        sys.exit(2)
    labels = list(dict.fromkeys(row["label"] for row in rows.values()))

    def own_options(path: str | PathLike[str]) -> Options:
        return {"transcript": rows[fspath(path)].get("transcript") or ""}

    with EmotionLLaMA(server, api_key=api_key) as client, progress() as bar:
        task = bar.add_task("clips", total=len(rows))
        found: list[Analysis] = []
        for analysis in client.analyze_many(
            list(rows),
            concurrency=concurrency,
            task="emotion",
            explain=False,
            own_options=own_options,
            labels=labels,
        ):
            found.append(analysis)
            bar.advance(task)
    failed = [analysis for analysis in found if analysis.response is None]
    for analysis in failed:
        print(f"{analysis.video_path}: {analysis.error}", file=sys.stderr)
    if len(failed) < len(found):
        _report(labels, rows, found, out)
    sys.exit(1 if failed else 0)


def _rows(table: Path, root: Path) -> dict[str, dict[str, str]]:
    """Path of each clip to its row.

    Raises:
        CommandError: a clip is not there, or nothing is to be told apart.
    """
    rows = {_clip(root, row["name"]): row for row in read_table(table, ("name", "label"))}
    for row in rows.values():
        row["label"] = (row["label"] or "").strip()
        if not row["label"]:
            raise CommandError(f"{table} has no label for {row['name']!r}.")
    if len({row["label"] for row in rows.values()}) < 2:
        raise CommandError(f"{table} holds fewer than two labels.")
    return rows


def _clip(root: Path, name: str) -> str:
    bare = bare_name(name)
    for tried in (name, *(f"{bare}{suffix}" for suffix in VIDEOS)):
        if (file := root / tried).is_file():
            return str(file)
    raise CommandError(f"There is no clip {name!r} in {root}.")


def _report(
    labels: list[str], rows: dict[str, dict[str, str]], found: list[Analysis], out: Path
) -> None:
    answers = [(rows[fspath(a.video_path)]["label"], a.response) for a in found if a.response]
    true = [label for label, _ in answers]
    told = [response.emotion for _, response in answers]
    labels = list(dict.fromkeys([*labels, *told]))  # a server may know others
    counts = confusion(labels, true, told)
    right = [one == other for one, other in zip(true, told, strict=True)]
    metrics = measure(counts, [response.confidence for _, response in answers], right)
    out.mkdir(parents=True, exist_ok=True)
    facts = {
        "clips": len(answers),
        "failed": len(found) - len(answers),
        "model": answers[0][1].model,
        **metrics.model_dump(),
        "labels": labels,
        "confusion": counts,
    }
    (out / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (out / "confusion.svg").write_text(confusion_svg(labels, counts), encoding="utf-8")
    _show(metrics, len(answers), out)


def _show(metrics: Metrics, clips: int, out: Path) -> None:
    table = Table("measure", f"over {clips} clips")
    for name, value in metrics.model_dump().items():
        table.add_row(name.replace("_", " "), f"{value:.4f}")
    Console().print(table)
    print(f"Wrote {out / 'metrics.json'} and {out / 'confusion.svg'}.")
