"""Measures the cost of decoding in a worker process instead of the server's process.

    python -m benchmarks.decode_workers [--out FILE] [--quick]

Both ways decode the same clips in turns, one at a time: the difference is the transfer.
"""

import asyncio
import statistics
import time
from functools import partial
from typing import Any

from benchmarks.harness import report
from devtools.media import Recipe, make_clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.workers.decoder import Decoder, InProcess
from emotion_llama_vllm.media.workers.pool import Workers
from emotion_llama_vllm.settings import MediaSettings

MODULE = "benchmarks.decode_workers"
SIZE = 448
PICTURES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
SECONDS = 10
ROUNDS, QUICK_ROUNDS = 40, 5
SETTINGS = MediaSettings(decode_workers=2)


async def measure(rounds: int) -> dict[str, Any]:
    """Return the medians of each picture size."""
    workers = Workers(SETTINGS, SIZE)
    await workers.warm_up()
    found = {name: await _compare(workers, *sides, rounds) for name, sides in PICTURES.items()}
    await asyncio.to_thread(workers.stop)
    about = {"clip_seconds": SECONDS, "rounds": rounds, "frame_side": SIZE}
    return about | {"median_milliseconds": found}


async def _compare(workers: Workers, width: int, height: int, rounds: int) -> dict[str, float]:
    """Return the median milliseconds in a worker and in this process, and their difference."""
    data = make_clip(Recipe(width=width, height=height, seconds=SECONDS, frames_per_second=25))
    times: dict[str, list[float]] = {"worker": [], "in_process": []}
    with ClipFile.in_memory(data) as clip:
        for _ in range(rounds):
            times["worker"].append(await _timed(workers, clip))
            times["in_process"].append(await _timed(InProcess(), clip))
    medians = {name: statistics.median(values) for name, values in times.items()}
    added = medians["worker"] - medians["in_process"]
    return {name: round(value, 2) for name, value in {**medians, "added": added}.items()}


async def _timed(decoder: Decoder, clip: ClipFile) -> float:
    """Return the milliseconds for one clip."""
    started = time.perf_counter()
    await decoder.run(partial(decode, size=SIZE, settings=SETTINGS), clip)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    report.write(options.out, MODULE, asyncio.run(measure(rounds)))


if __name__ == "__main__":
    main()
