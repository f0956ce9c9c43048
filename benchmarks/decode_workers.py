"""What decoding in a worker process costs over decoding in the server's.

    python -m benchmarks.decode_workers --out FILE

The same clips both ways, in turns, one at a time: the difference is the way there and back.
"""

import argparse
import asyncio
import json
import statistics
import time
from functools import partial
from pathlib import Path

from emotion_llama_vllm.media.decode import decode
from emotion_llama_vllm.media.decoder import Decoder, InProcess
from emotion_llama_vllm.media.file import ClipFile
from emotion_llama_vllm.media.workers import Workers
from emotion_llama_vllm.settings import MediaSettings
from tests.support.media import Recipe, make_clip

SIZE = 448
PICTURES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
SECONDS, ROUNDS = 10, 40
SETTINGS = MediaSettings(decode_workers=2)


async def main() -> None:
    """Measure each picture size and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    workers = Workers(SETTINGS, SIZE)
    await workers.warm_up()
    found = {name: await measure(workers, *sides) for name, sides in PICTURES.items()}
    await asyncio.to_thread(workers.stop)
    about = {"clip_seconds": SECONDS, "rounds": ROUNDS, "frame_side": SIZE}
    out.write_text(json.dumps({**about, "median_milliseconds": found}, indent=2) + "\n")
    print(out.read_text())


async def measure(workers: Workers, width: int, height: int) -> dict[str, float]:
    """Median milliseconds in a worker, in this process, and between the two."""
    data = make_clip(Recipe(width=width, height=height, seconds=SECONDS, frames_per_second=25))
    times: dict[str, list[float]] = {"worker": [], "in_process": []}
    with ClipFile.in_memory(data) as clip:
        for _ in range(ROUNDS):
            times["worker"].append(await timed(workers, clip))
            times["in_process"].append(await timed(InProcess(), clip))
    medians = {name: statistics.median(values) for name, values in times.items()}
    added = medians["worker"] - medians["in_process"]
    return {name: round(value, 2) for name, value in {**medians, "added": added}.items()}


async def timed(decoder: Decoder, clip: ClipFile) -> float:
    """Milliseconds of one clip."""
    started = time.perf_counter()
    await decoder.run(partial(decode, size=SIZE, settings=SETTINGS), clip)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    asyncio.run(main())
