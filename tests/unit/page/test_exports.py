"""The files that the page saves: the server writes the same, and the command line reads them."""

import json
import random
import subprocess
from pathlib import Path

from devtools.paths import CHECKOUT
from emotion_llama.commands.saved import read_saved
from emotion_llama.schema import TimelineWindow
from emotion_llama_server.emotion.formats import as_csv, as_vtt
from tests.support.npm import require_npm

_PAGE = (CHECKOUT / "clients/page").as_posix()
_TIMELINE = f"""
import {{ timelineCsv }} from '{_PAGE}/export/csv.js';
import {{ asVtt }} from '{_PAGE}/export/vtt.js';
write((windows) => [timelineCsv(windows), asVtt(windows, [])]);
"""
_BATCH = f"""
import {{ asJsonLines, batchCsv }} from '{_PAGE}/export/batch.js';
write((clips) => [batchCsv(clips), asJsonLines(clips)]);
"""
_WRITE = """
import { readFileSync } from 'node:fs';
function write(texts) {
  process.stdout.write(JSON.stringify(texts(JSON.parse(readFileSync(0, 'utf8')))));
}
"""


def exported(program: str, what: str) -> list[str]:
    """Return the texts that a program of the page writes of a JSON text."""
    require_npm()
    command = ["node", "--input-type=module", "--eval", _WRITE + program]
    done = subprocess.run(command, input=what, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def windows() -> list[TimelineWindow]:
    """Many times and shares; some lie midway between two rounded numbers."""
    source = random.Random(7)
    labels = ["happy", "sad, or not", 'the "rest"', "a < b & c > d"]
    midway = [index / 128 for index in range(129)] + [index / 200 for index in range(201)]
    shares = [*midway, *(source.random() ** 4 for _ in range(500))]
    made: list[TimelineWindow] = []
    for index, share in enumerate(shares):
        rest = dict.fromkeys(labels, (1 - share) / 3)
        label = labels[index % len(labels)]
        start = round(source.random() * 4000, 3)
        made.append(
            TimelineWindow(
                start=start,
                end=round(start + 1.5, 3),
                emotion=label,
                confidence=share,
                probabilities=rest | {label: share},
            )
        )
    return made


def test_a_timeline_is_written_as_the_server_writes_it() -> None:
    timeline = windows()
    body = "[" + ",".join(window.model_dump_json() for window in timeline) + "]"
    csv, vtt = exported(_TIMELINE, body)
    assert csv == "\ufeff" + as_csv(timeline)
    assert vtt == as_vtt(timeline)


def test_the_command_line_reads_what_the_page_writes_about_many_clips(tmp_path: Path) -> None:
    response = {
        "emotion": "happy",
        "confidence": 0.75,
        "probabilities": {"happy": 0.75, "sad, or not": 0.25},
        "answer": "Happy.",
        "answer_matches": True,
        "explanation": 'One\ntwo, "three"',
    }
    done = {"name": "a,b.mp4", "response": response}
    failed = {"name": "=c.mp4", "error": "Damaged, sorry."}
    for ending, text in zip(
        ("csv", "jsonl"), exported(_BATCH, json.dumps([done, failed])), strict=True
    ):
        file = tmp_path / f"clips.{ending}"
        file.write_text(text, encoding="utf-8", newline="")
        first, second = read_saved(file).rows
        assert (first.video, first.error) == ("a,b.mp4", "")
        assert (second.video, second.error) == ("=c.mp4", "Damaged, sorry.")
