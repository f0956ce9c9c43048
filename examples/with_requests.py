"""Uploads a clip with requests alone, and waits as long as a busy server asks for.

pip install requests
python examples/with_requests.py [CLIP]
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests

SERVER = "http://127.0.0.1:7889"
BUSY = (429, 503)


def main() -> None:
    """Print the share of each label, and what the model wrote."""
    clip = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/clips/happy_face.mp4")
    answer = ask(clip, {"task": "both", "transcript": "", "timeline": {"window": 1, "step": 0.5}})
    for label, share in sorted(answer["probabilities"].items(), key=lambda item: -item[1]):
        print(f"{label:10} {share:6.1%}")
    print(answer["explanation"])
    for window in answer["timeline"]:
        print(f"{window['start']:5.1f} s to {window['end']:5.1f} s: {window['emotion']}")
    print(answer["notice"])


def ask(clip: Path, question: dict[str, Any], *, tries: int = 5) -> dict[str, Any]:
    """Return the answer about a clip.

    Raises:
        SystemExit: the server refused the request; the sentence says why.
    """
    for _ in range(tries):
        with clip.open("rb") as video:
            response = requests.post(
                f"{SERVER}/v1/emotion",
                files={"video": video},
                data={"request": json.dumps(question)},
                timeout=300,
            )
        if response.status_code not in BUSY:
            break
        time.sleep(float(response.headers["Retry-After"]))
    if not response.ok:
        error = response.json()["error"]
        raise SystemExit(f"{error['code']}: {error['message']}")
    return response.json()


if __name__ == "__main__":
    main()
