"""Writes the tables and pictures of `docs/*/performance.md` from the committed results.

    python -m benchmarks.tables

It replaces the text between `<!-- table: NAME -->` and `<!-- end -->`, and writes
`docs/performance/*.png`.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.documents.chinese import CHINESE
from benchmarks.documents.pictures import WAYS, Results, draw
from benchmarks.harness.report import RESULTS
from devtools.paths import CHECKOUT

DOCS = CHECKOUT / "docs"
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Row = Sequence[object]

RATIOS = (
    ("16 at once, every clip new, against a", "4 × (6 ×)", "server_against_a"),
    ("16 at once, every clip new, against b", "2.5 ×", "server_against_b"),
    ("the same, 4 questions per clip, against a", "8 × (16 ×)", "4_questions_against_a"),
    ("the same, 4 questions per clip, against b", "5 ×", "4_questions_against_b"),
    ("against c (batches of 16), every clip new", "1.2 ×", "server_against_c"),
    ("one request at a time, against b", "1 × (2 ×)", "one_by_one_against_b"),
)
"""The ratios that a CPU and a GPU have in common: title, target and name."""


def targets(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the targets and the measured values."""
    measured = [found[name]["ratios"] for name in ("throughput", "throughput_bf16", "gpu")]
    cpus, following = measured[:2], [found[name] for name in ("follow_up", "follow_up_bf16")]
    rows: list[Row] = [
        (measure, least, *(_times(ratios[name]) for ratios in measured))
        for measure, least, name in RATIOS
    ]
    rows += [
        (
            f"share of the bound against {way}",
            "0.8",
            *(f"{r[f'server_against_{way}'] / r[f'bound_against_{way}']:.2f}" for r in cpus),
            "",
        )
        for way in "ab"
    ]
    shares = [f"{ratios['cached_share_of_text']:.2f}" for ratios in cpus]
    nexts = [f"{data['one_by_one']['ratio']:.2f}" for data in following]
    firsts = [
        f"{data['other_route']['new_ms'] / data['one_by_one']['first_ms']:.2f}"
        for data in following
    ]
    emotion = "first event of /v1/emotion over chat's TTFT"
    rows += [
        ("share of text-only vLLM, clips cached", "0.95", *shares, ""),
        ("TTFT of the next question over the first", "≤ 0.1", *nexts, ""),
        (emotion, "≤ 1.3 and the label reads", *firsts, ""),
    ]
    alone: list[Row] = [
        ("CPU over chat, worst of the routes below", "≤ 5 ms", f"{_worst_overhead(found):.1f} ms"),
        *_preprocessing_targets(found["preprocessing"]),
        ("ready with the demo, warm disk", "≤ 12 s", f"{found['start']['ready_seconds']:.0f} s"),
    ]
    rows += [(*row, "", "") for row in alone]
    heads = ("two CPU cores", "the same, with bfloat16", "7B on a GPU")
    return ("measure", "at least (with bfloat16)", *heads), rows


def _preprocessing_targets(data: dict[str, Any]) -> list[Row]:
    frames = {(row["size"], row["seconds"]): row for row in data["frame"]}
    growth = max(
        frames[size, 60]["milliseconds"]["ours"] / frames[size, 2]["milliseconds"]["ours"]
        for size, _ in frames
    )

    def worst(is_meant: Callable[[int], bool]) -> str:
        shares = (r["share_of_original"] for r in data["rows"] if is_meant(r["seconds"]))
        return f"{max(shares):.2f}"

    return [
        ("decode and resample over a's way, 2 to 10 s, worst", "≤ 0.2", worst(lambda s: s <= 10)),
        ("decode and resample over a's way, 60 s, worst", "≤ 0.2", worst(lambda s: s > 10)),
        ("first frame, 60 s over 2 s clip", "1", f"{growth:.2f}"),
    ]


def throughput(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the seconds per request of each way."""
    both = [found[name]["seconds_per_request"] for name in ("throughput", "throughput_bf16")]
    rows = [
        (
            f"`{name}`",
            *(f"{seconds[name]:.2f}" for seconds in both),
            *(_or_nothing(seconds.get(f"{name}_encoders")) for seconds in both),
        )
        for name in both[0]
        if not name.endswith("_encoders")
    ]
    heads = ("seconds per request", "with bfloat16", "of that, clip and encoders")
    return ("way", *heads, "with bfloat16"), rows


def cpu_precision(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the seconds per request with lower precisions on a CPU."""
    rows = [
        (way, *(f"{seconds[name]:.2f}" for name in ("new", "cached", "4_questions", "one_by_one")))
        for way, seconds in found["cpu_precision"]["seconds_per_request"].items()
    ]
    heads = ("16 at once, new clips", "the same, further questions")
    return ("precision", *heads, "the same, 4 questions per clip", "one at a time"), rows


def quantization(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return what lower precisions change in the demo's answers."""
    shares = ("right", "same_label", "same_answer", "same_explanation")
    rows = [
        (
            f"`{way}`",
            *(f"{100 * values[name]:.1f} %" for name in shares),
            values["median_change_of_log_probability"],
            values["largest_change_of_log_probability"],
        )
        for way, values in found["quantization"]["ways"].items()
    ]
    same = ("same label as float32", "same answer", "same explanation")
    changes = ("log-probability moved by, median", "largest")
    return ("precision", "labels right", *same, *changes), rows


def quantization_7b(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return what lower precisions change in random weights of the 7B's sizes."""
    rows = [
        (
            f"`{way}`",
            f"{100 * values['same_first_token']:.0f} %",
            f"{values['same_tokens_of_16']:.1f}",
            f"{values['correlation_of_log_probabilities']:.3f}",
            values["median_change_of_log_probability"],
            values["largest_change_of_log_probability"],
        )
        for way, values in found["quantization_7b"]["ways"].items()
    ]
    same = ("same first token", "tokens of 16 before the first that differs")
    changes = ("correlation of log-probabilities", "log-probability moved by, median", "largest")
    return ("precision", *same, *changes), rows


def follow_up(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the time to first token of first and further questions."""
    titles = {
        "one_by_one": ("one clip after the other", "first_ms", "next_ms"),
        "many": ("64 clips, 5 questions each, 16 at once", "first_ms", "next_ms"),
        "other_route": ("the same clip through /v1/emotion", "new_ms", "known_ms"),
    }
    rows = []
    for name, (title, *values) in titles.items():
        both = [found[file][name] for file in ("follow_up", "follow_up_bf16")]
        rows.append((title, *(data[key] for data in both for key in (*values, "ratio"))))
    heads = ("first, ms", "next, ms", "ratio")
    return ("requests", *heads, *(f"{head} (bfloat16)" for head in heads)), rows


def preprocessing(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the milliseconds from a file to the network's inputs."""
    ways = ("ours", "original", "pyav", "opencv")
    rows = [
        (
            row["size"],
            row["seconds"],
            *(f"{row['milliseconds'][way]:.1f}" for way in ways),
            row["share_of_original"],
        )
        for row in found["preprocessing"]["rows"]
    ]
    heads = ("ours, ms", "a's, ms", "PyAV, ms", "OpenCV, ms", "share of a's")
    return ("picture", "seconds", *heads), rows


def overhead(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the CPU time of our routes over an equal chat request."""
    rows = [(f"`{route}`", ms) for route, ms in _overheads(found).items()]
    return ("route", "CPU ms over chat"), rows


def start(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the steps of the time to the first answer."""
    data = found["start"]
    rows: list[Row] = list(data["steps_seconds"].items())
    return ("step", "seconds"), [*rows, ("ready", data["ready_seconds"])]


def gpus(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the predictions for the 7B on GPUs."""
    rows = []
    for gpu in found["paper_model"]["gpus"]:
        new, four = gpu["every_clip_new"][-1], gpu["four_questions_per_clip"][-1]
        live = max(gpu["live_requests_by_max_audio_seconds"].values())
        speeds = (f"{p['requests_per_second']:.1f}" for p in (new, four))
        rows.append((gpu["name"], live, new["batch"], *speeds))
    heads = ("live requests", "batch", "requests/s", "the same, 4 questions per clip")
    return ("GPU", *heads), rows


def gpu_ways(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the 7B on a GPU against the original's way on it."""
    seconds = found["gpu"]["seconds_per_request"]
    rows = [
        (f"`{way}`", f"{seconds[way]:.3f}", _times(seconds["a"] / seconds[way])) for way in WAYS
    ]
    return ("way", "seconds per request", "against a"), rows


def gpu_load(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the 7B on a GPU under load, with the prediction."""
    rows: list[Row] = []
    for level in found["gpu"]["under_load"]:
        figures, predicted = level["figures"], level["predicted"]
        rows.append(
            (
                level["concurrency"],
                level["questions_per_clip"],
                f"{figures['requests_per_second']:.1f}",
                f"{predicted['requests_per_second']:.1f}" if predicted else "",
                f"{1000 * figures['ttft']['p50']:.0f}",
                f"{1000 * figures['time_per_output_token']['p50']:.1f}",
            )
        )
    heads = ("requests/s", "predicted", "TTFT p50, ms", "ms per token")
    return ("at once", "questions per clip", *heads), rows


def check(found: Results) -> tuple[Row, Sequence[Row]]:
    """Return the arithmetic beside the measurement on the CPU."""
    rows = [
        (
            f"`{name}`",
            f"{one['seconds_per_request']:.2f}",
            f"{found['throughput']['seconds_per_request'][name]:.2f}",
            f"{one['predicted_over_measured']:.2f}",
        )
        for name, one in found["paper_model"]["check"].items()
    ]
    return ("way", "predicted", "measured", "predicted / measured"), rows


TABLES: dict[str, Callable[[Results], tuple[Row, Sequence[Row]]]] = {
    table.__name__: table
    for table in (
        *(targets, throughput, cpu_precision, quantization, quantization_7b, follow_up),
        *(preprocessing, overhead, start, gpu_ways, gpu_load, gpus, check),
    )
}


def fill_in(text: str, found: Results, *, chinese: bool) -> str:
    """Return the document with its tables filled in from the results."""

    def write(place: re.Match[str]) -> str:
        head, rows = TABLES[place[2]](found)
        words = CHINESE if chinese else {}
        lines = [head, ["---"] * len(head), *rows]
        cells = [[words.get(str(cell), str(cell)) for cell in line] for line in lines]
        return place[1] + "".join(f"| {' | '.join(line)} |\n" for line in cells) + place[3]

    return _PLACE.sub(write, text)


def _overheads(found: Results) -> dict[str, float]:
    costs = found["overhead"]["cpu_milliseconds"]
    return {
        name: value for name, value in costs.items() if name not in ("chat_request", "label_read")
    }


def _worst_overhead(found: Results) -> float:
    return max(_overheads(found).values())


def _times(ratio: float) -> str:
    return f"{ratio:.1f} ×"


def _or_nothing(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def read() -> Results:
    """Read the committed results."""
    return {file.stem: json.loads(file.read_text()) for file in RESULTS.glob("*.json")}


def main() -> None:
    """Write all documents and pictures."""
    found = read()
    for language in ("en", "zh"):
        document = DOCS / language / "performance.md"
        text = document.read_text(encoding="utf-8")
        document.write_text(fill_in(text, found, chinese=language == "zh"), encoding="utf-8")
    draw(found, DOCS / "performance")


if __name__ == "__main__":
    main()
