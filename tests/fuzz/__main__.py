"""Shoots at a server and tells what it answered: `make fuzz`."""

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from devtools.paths import CHECKOUT
from tests.fuzz.campaign import shoot
from tests.fuzz.clips import clip_shots
from tests.fuzz.gallery import Failure, Gallery, ServerDied
from tests.fuzz.log import tracebacks
from tests.fuzz.target import Target, demo_target

_EVIDENCE = CHECKOUT / "build" / "fuzz"
_SHOWN = 5


def main() -> int:
    """Return 0 if every answer was as it should be."""
    arguments = _arguments()
    started = time.monotonic()
    with _target(arguments) as target, Gallery(target, _EVIDENCE) as gallery:
        try:
            if arguments.only is not None:
                gallery.send(clip_shots(target, arguments.seed, 1, first=arguments.only))
            else:
                shoot(gallery, arguments.seed, arguments.clips, arguments.requests)
        except ServerDied:
            print("The server is no longer healthy.")
        print(gallery.table())
        print(f"{gallery.sent} requests in {time.monotonic() - started:.0f} s.\n")
        return 1 if _told_failures(gallery) + _told_tracebacks(target) else 0


def _target(arguments: argparse.Namespace) -> AbstractContextManager[Target]:
    if arguments.url is None:
        return demo_target("--max-audio-seconds", "20")
    return nullcontext(Target.at(arguments.url, arguments.media_root))


def _told_failures(gallery: Gallery) -> int:
    """Tell those of one kind with one complaint together, and how to get the first of them."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for failure in gallery.failures:
        alike.setdefault((failure.shot.kind, failure.complaint), []).append(failure)
    for (kind, complaint), failures in alike.items():
        print(f"{kind}, {len(failures)} times: {complaint}")
        for failure in failures[:_SHOWN]:
            print(f"    {failure.shot.origin}\n        {failure.command}")
    print(f"{len(gallery.failures)} answers were not as they should be.")
    return len(gallery.failures)


def _told_tracebacks(target: Target) -> int:
    """Tell all that are in the log; those count that went through this project's code."""
    found = tracebacks(target.log.read_text(errors="replace")) if target.log else {}
    for traceback, count in found.items():
        whose = "ours" if traceback.is_ours else "vLLM's"
        print(f"{count} times in the log ({whose}): {traceback.error}")
    return sum(traceback.is_ours for traceback in found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--clips", type=int, default=2000, help="mutated clips to send")
    parser.add_argument("--requests", type=int, default=10_000, help="requests of other kinds")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other requests")
    parser.add_argument("--only", type=int, metavar="INDEX", help="send this one clip and no more")
    parser.add_argument("--url", help="a server that runs, in place of one of our own")
    parser.add_argument("--media-root", type=Path, help="a folder that it reads")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
