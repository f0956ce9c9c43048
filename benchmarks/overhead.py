"""What `POST /v1/emotion` costs over the same chat request.

    python -m benchmarks.overhead --out FILE

CPU time of the server's process (the engine has one of its own) per request, one at a time, about
one clip. A request to `/v1/emotion` is one answer, as the chat's, and one read for each point at
which its labels part; label sets with few and with many such points tell the two apart: what is
left at no reads is the route's own.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psutil

from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.analysis.questions import emotion_text
from emotion_llama_vllm.checkpoint.served import read_served
from tests.support.server import Server, running_server

CLIP = "happy_face.mp4"
LABELS = (
    "neutral", "angry", "happy", "sad", "worried", "surprise", "calm", "bored", "proud", "shy",
)  # fmt: skip
SIZES = (2, 4, 6, 8, 10)
WARM_UP, REQUESTS, ROUNDS = 20, 60, 5

Ask = Callable[[], dict[str, Any]]


class Costs:
    """Asks a server, and reads off its process what that took."""

    def __init__(self, server: Server) -> None:
        self._process = psutil.Process(server.pid)
        self._http = httpx2.Client(base_url=server.url, timeout=60)

    def chat(self, labels: tuple[str, ...]) -> Ask:
        content = [
            {"type": "video_url", "video_url": {"url": CLIP}},
            {"type": "text", "text": _text(labels)},
        ]
        messages = [{"role": "user", "content": content}]
        body = {"model": demo_files.MODEL_NAME, "messages": messages, "temperature": 0}
        return lambda: self._post("/v1/chat/completions", body | {"max_tokens": 64})

    def emotion(self, labels: tuple[str, ...]) -> Ask:
        body = {"video": CLIP, "task": "emotion", "labels": labels}
        return lambda: self._post("/v1/emotion", body)

    def milliseconds(self, ask: Ask) -> float:
        """CPU time of the server's process for one request, the mean of REQUESTS."""
        before = self._process.cpu_times()
        for _ in range(REQUESTS):
            ask()
        after = self._process.cpu_times()
        spent = after.user + after.system - before.user - before.system
        return 1000 * spent / REQUESTS

    def _post(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._http.post(route, json=body).raise_for_status().json()


def measure(server: Server) -> dict[str, Any]:
    """Milliseconds of CPU time: of the chat request, of a label read, and of the route itself."""
    costs = Costs(server)
    rounds = [_round(costs) for _ in range(ROUNDS)]
    found = {name: round(statistics.median(r[name] for r in rounds), 2) for name in rounds[0]}
    return {"requests": REQUESTS, "median_of": ROUNDS, "cpu_milliseconds": found}


def _round(costs: Costs) -> dict[str, float]:
    chats, emotions, reads = [], [], []
    for size in SIZES:
        chat, emotion = costs.chat(LABELS[:size]), costs.emotion(LABELS[:size])
        for _ in range(WARM_UP):
            chat()
            emotion()
        usage = emotion()["usage"]["completion_tokens"] - chat()["usage"]["completion_tokens"]
        reads.append(usage)
        chats.append(costs.milliseconds(chat))
        emotions.append(costs.milliseconds(emotion))
    a_read, no_reads = np.polyfit(reads, np.subtract(emotions, chats), 1)
    return {
        "chat_request": statistics.mean(chats),
        "label_read": float(a_read),
        "added_by_emotion_route": float(no_reads),
    }


def _text(labels: tuple[str, ...]) -> str:
    """The user's turn that `/v1/emotion` makes of these labels."""
    served = read_served(demo_files.MODEL_NAME, str(demo_files.checkpoint()))
    return emotion_text(EmotionRequest(labels=list(labels)), served.card)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "log")) as server:
        found = measure(server)
    text = json.dumps(found, indent=2) + "\n"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
