"""Evaluates the demo checkpoint's answers over HTTP: `python -m demo.evaluate --out DIR`.

It asks greedily about test clips through the OpenAI API, writes a table, `evaluation.json` and
`confusion.png`, and fails if a target is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.labels import LABELS
from demo.measure.answers import FRAMES, Answers, ask_all
from demo.measure.cases import Case, make_cases
from demo.measure.facts import claims, problems

TARGETS: dict[str, tuple[str, float]] = {
    "emotion": ("at least", 0.95),
    "emotion, face family": ("at least", 0.95),
    "emotion, voice family": ("at least", 0.92),
    "emotion, words family": ("at least", 0.92),
    "emotion, apex family": ("at least", 0.90),
    "apex family by the first frame alone": ("at most", 0.25),
    "apex family by the peak frame alone": ("at least", 0.90),
    "voice family without sound": ("at most", 0.25),
    "face family without picture": ("at most", 0.25),
    "reason names the same label": ("at least", 0.95),
    "reason is true": ("at least", 0.90),
    "Chinese reason names the same label": ("at least", 0.85),
    "Chinese reason is true": ("at least", 0.85),
}
"""Maps each measure to its target."""


def measure(cases: Sequence[Case], answers: Sequence[Answers]) -> dict[str, float]:
    """Return the measures of TARGETS, as shares."""
    pairs = list(zip(cases, answers, strict=True))
    measures = {"emotion": _share(a.emotion == c.label for c, a in pairs)}
    for family in ("face", "voice", "words", "apex"):
        own = [(c, a) for c, a in pairs if c.family == family]
        measures[f"emotion, {family} family"] = _share(a.emotion == c.label for c, a in own)
    for family, lost in (("voice", "sound"), ("face", "picture")):
        bare = [(c, a) for c, a in pairs if c.family == family]
        measures[f"{family} family without {lost}"] = _share(a.bare == c.label for c, a in bare)
    for frame in FRAMES:
        shown = [(c, a) for c, a in pairs if c.family == "apex"]
        measures[f"apex family by the {frame} frame alone"] = _share(
            a.frames[frame] == c.label for c, a in shown
        )
    for language, kind in (("en", "reason"), ("zh", "Chinese reason")):
        told = [(c, a, a.reasons[language]) for c, a in pairs]
        same = (_labels(text) == [a.emotion] for _, a, text in told)
        measures[f"{kind} names the same label"] = _share(same)
        measures[f"{kind} is true"] = _share(not problems(text, c.facts) for c, _, text in told)
    return {name: measures[name] for name in TARGETS}


def _labels(text: str) -> list[str | bool]:
    return [value for aspect, value in claims(text) if aspect == "emotion"]


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return round(sum(values) / len(values), 4)


def missed(measures: dict[str, float], slack: float = 0.0) -> list[str]:
    """Return the measures that miss their targets by more than `slack`."""
    return [
        name
        for name, (direction, bar) in TARGETS.items()
        if (
            measures[name] < bar - slack
            if direction == "at least"
            else measures[name] > bar + slack
        )
    ]


def confusion(cases: Sequence[Case], answers: Sequence[Answers]) -> list[list[int]]:
    """Return counts by true label and by answered label; the last column is any other answer."""
    counts = [[0] * (len(LABELS) + 1) for _ in LABELS]
    for case, answer in zip(cases, answers, strict=True):
        said = LABELS.index(answer.emotion) if answer.emotion in LABELS else len(LABELS)
        counts[LABELS.index(case.label)][said] += 1
    return counts


def draw_confusion(counts: list[list[int]], file: Path) -> None:
    """Draw the counts; rows are true labels, columns are answers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(LABELS) + 1), [*LABELS, "other"], rotation=40, ha="right")
    axes.set_yticks(range(len(LABELS)), LABELS)
    axes.set(xlabel="said", ylabel="true")
    darkest = max(map(max, counts))
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            colour = "white" if count > darkest / 2 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    figure.savefig(file, dpi=110)


def _report(measures: dict[str, float]) -> None:
    table = Table("measure", "reached", "target")
    failed = missed(measures)
    for name, (direction, bar) in TARGETS.items():
        colour = "red" if name in failed else "green"
        table.add_row(name, f"[{colour}]{measures[name]:.1%}", f"{direction} {bar:.0%}")
    Console().print(table)


def evaluate(url: str, model: str, *, seed: int, count: int, out: Path) -> list[str]:
    """Run the evaluation against a server; return the measures that missed their targets."""
    cases = make_cases(seed, count)
    answers = asyncio.run(ask_all(url, model, cases))
    measures, counts = measure(cases, answers), confusion(cases, answers)
    out.mkdir(parents=True, exist_ok=True)
    found = {"split": "test", "seed": seed, "clips": count, "measures": measures}
    found |= {"labels": LABELS, "confusion": counts}
    (out / "evaluation.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    draw_confusion(counts, out / "confusion.png")
    _report(measures)
    return missed(measures)


def main() -> None:
    """Run the command line."""
    from devtools.server import running_server
    from emotion_llama_vllm.demo_files import MODEL_NAME

    parser = argparse.ArgumentParser(prog="python -m demo.evaluate", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--server", metavar="URL", help="use this running server")
    parser.add_argument("--model", default=MODEL_NAME)
    options = parser.parse_args()
    sizes = {"seed": options.seed, "count": options.count, "out": options.out}
    if options.server:
        failed = evaluate(options.server, options.model, **sizes)
    else:
        with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "log")) as server:
            failed = evaluate(server.url, options.model, **sizes)
    sys.exit(f"Missed: {', '.join(failed)}." if failed else 0)


if __name__ == "__main__":
    main()
