"""Asks about all clips of a folder at once, and writes a table as the answers come.

    .venv/bin/python examples/batch.py [FOLDER] [OUT.csv]

`emotion-llama analyze` does this too, with transcripts and resuming; this is the start of a program
of your own.
"""

import argparse
import asyncio
import csv
from pathlib import Path

from emotion_llama import AsyncEmotionLLaMA

SERVER = "http://127.0.0.1:7889"
AT_ONCE = 8


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Ask about all clips of a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo/clips"))
    parser.add_argument("out", nargs="?", type=Path, default=Path("results.csv"))
    given = parser.parse_args()
    asyncio.run(write_table(sorted(given.folder.rglob("*.mp4")), given.out))


async def write_table(clips: list[Path], out: Path) -> None:
    """Write a row for each clip: its label and the label's share, or the error."""
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["clip", "emotion", "confidence", "error"])
        async with AsyncEmotionLLaMA(api_url=SERVER) as client:
            async for found in client.analyze_many(clips, concurrency=AT_ONCE, task="emotion"):
                answer = found.response
                told = [answer.emotion, answer.confidence, ""] if answer else ["", "", found.error]
                table.writerow([found.video_path, *told])
    print(f"Wrote {len(clips)} rows into {out}.")


if __name__ == "__main__":
    main()
