"""What the page exports equals what the server writes of the same timeline."""

import json
import random
import subprocess

from emotion_llama.schema import TimelineWindow
from emotion_llama_server.emotion.formats import as_csv, as_vtt
from tests.support.npm import require_npm
from tests.support.paths import CHECKOUT

_EXPORT = """
import { readFileSync } from 'node:fs';
import { timelineCsv } from '%(page)s/export/csv.js';
import { asVtt } from '%(page)s/export/vtt.js';
const windows = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify([timelineCsv(windows), asVtt(windows, [])]));
"""


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
        times = {"start": start, "end": round(start + 1.5, 3)}
        probabilities = rest | {label: share}
        made.append(
            TimelineWindow(emotion=label, confidence=share, probabilities=probabilities, **times)
        )
    return made


def test_exports_equal_the_forms_of_the_server() -> None:
    require_npm()
    timeline = windows()
    body = "[" + ",".join(window.model_dump_json() for window in timeline) + "]"
    program = _EXPORT % {"page": (CHECKOUT / "clients/page").as_posix()}
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, input=body, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    csv, vtt = json.loads(done.stdout)
    assert csv == "\ufeff" + as_csv(timeline)
    assert vtt == as_vtt(timeline)
