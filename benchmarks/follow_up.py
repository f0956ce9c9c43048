"""Measures the time to first token of the first and of further questions about a clip.

    python -m benchmarks.follow_up [--quick]

It uses the mid-size checkpoint, and two tokens for an answer, because only the first token's time
counts. It asks about one clip after the other; about the same clip through `/v1/emotion`, in
another form (an upload) with another prompt; and about 64 clips with 5 questions each, 16 requests
at once.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import report
from benchmarks.harness.clips import new_clips
from benchmarks.harness.load import as_sent, measure
from benchmarks.harness.servers import WORK, dtype, midsize_server
from devtools.server import Server
from emotion_llama.bench.figures import Record
from emotion_llama.bench.routes import ROUTES

MODULE = "benchmarks.follow_up"
TOKENS = 2
AT_ONCE, QUESTIONS = 16, 5


def one_by_one(server: Server, clips: Sequence[Path]) -> dict[str, Any]:
    """Ask two questions about each clip, without other requests."""
    _, records = measure(server.url, as_sent(clips), at_once=1, tokens=TOKENS, questions=2)
    return _first_and_next(records)


def other_route(server: Server, known: Sequence[Path], new: Sequence[Path]) -> dict[str, float]:
    """Return the time of `/v1/emotion`'s first event, for clips of a chat and for new ones."""
    found, route = {}, ROUTES["emotion"]
    for name, clips in (("known", known), ("new", new)):
        uploads = as_sent(clips, route)
        _, records = measure(server.url, uploads, at_once=1, tokens=TOKENS, route=route)
        found[f"{name}_ms"] = _median(records)
    return found | {"ratio": round(found["known_ms"] / found["new_ms"], 3)}


def many(server: Server, clips: Sequence[Path]) -> dict[str, Any]:
    """Ask five questions about each clip, 16 requests at once."""
    figures, records = measure(
        server.url, as_sent(clips), at_once=AT_ONCE, tokens=TOKENS, questions=QUESTIONS
    )
    about = {"clips": len(clips), "questions": QUESTIONS, "at_once": AT_ONCE}
    speed = {"requests_per_second": round(figures.requests_per_second, 2)}
    return about | speed | _first_and_next(records)


def _first_and_next(records: Sequence[Record]) -> dict[str, float]:
    first = _median([record for record in records if record.question == 0])
    following = _median([record for record in records if record.question > 0])
    return {"first_ms": first, "next_ms": following, "ratio": round(following / first, 3)}


def _median(records: Sequence[Record]) -> float:
    return round(1000 * statistics.median(r.ttft for r in records if r.ttft is not None), 1)


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    few, lots = (3, 16) if options.quick else (5, 64)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        warm, known, new = (new_clips(folder, few, first=few * turn) for turn in range(3))
        clips = new_clips(folder, lots, first=3 * few)
        with midsize_server(folder) as server:
            one_by_one(server, warm[:2])
            other_route(server, warm[:1], warm[:1])
            found = {
                "dtype": dtype(server),
                "one_by_one": one_by_one(server, known),
                "other_route": other_route(server, known, new),
                "many": many(server, clips),
            }
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
