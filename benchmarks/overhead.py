"""Measures the cost of our routes over an equal chat request.

    python -m benchmarks.overhead [--out FILE] [--quick]

It measures the CPU time of the server's process (the engine has its own) per request, one at a
time, about one clip.

A request to `/v1/emotion` consists of one answer, as the chat's, and one read for each point at
which its labels differ. Label sets with few and with many such points separate the two: the cost at
zero reads is the route's own.

The legacy routes are compared with a chat request that has their prompt and their sampling. They
sample their words, so each answer is checked to be the same one: then all have the same number of
tokens.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psutil

from benchmarks.harness import report
from devtools.server import Server, running_server
from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm import demo_files, original
from emotion_llama_vllm.analysis.questions import emotion_text
from emotion_llama_vllm.checkpoint.served import read_served

MODULE = "benchmarks.overhead"
CLIP = "happy_face.mp4"
QUESTION, ANSWER = "[emotion] Which emotion is this?", "happy"
LABELS = (
    "neutral", "angry", "happy", "sad", "worried", "surprise", "calm", "bored", "proud", "shy",
)  # fmt: skip
SIZES = (2, 6, 10)
WARM_UP = 5
REQUESTS, QUICK_REQUESTS = 40, 15
ROUNDS, QUICK_ROUNDS = 3, 1

Ask = Callable[[], Any]


class Costs:
    """Sends repeated requests to a server and reads their CPU time from its process."""

    def __init__(self, server: Server, requests: int) -> None:
        self._process = psutil.Process(server.pid)
        self._http = httpx2.Client(base_url=server.url, timeout=600)
        self._requests = requests

    def chat(self, labels: tuple[str, ...]) -> Ask:
        body = _chat(_text(labels)) | {"temperature": 0, "max_tokens": 64}
        return lambda: self._post("/v1/chat/completions", body)

    def emotion(self, labels: tuple[str, ...]) -> Ask:
        body = {"video": CLIP, "task": "emotion", "labels": labels}
        return lambda: self._post("/v1/emotion", body)

    def demo_chat(self) -> Ask:
        body = _chat(QUESTION) | {
            "temperature": original.TEMPERATURE,
            "top_p": original.TOP_P,
            "top_k": original.TOP_K,
            "max_tokens": original.MAX_NEW_TOKENS,
            "vllm_xargs": {original.PENALTY_FIELD: original.REPETITION_PENALTY},
            "chat_template_kwargs": {"prompt_style": "demo"},
        }
        return lambda: _check(
            self._post("/v1/chat/completions", body)["choices"][0]["message"]["content"]
        )

    def process_video(self) -> Ask:
        body = {"video_path": CLIP, "question": QUESTION}
        return lambda: _check(self._post("/process_video", body)["response"])

    def predict(self) -> Ask:
        body = {"data": [CLIP, QUESTION]}
        return lambda: _check(self._post("/api/predict/", body)["data"][0])

    def milliseconds(self, ask: Ask) -> float:
        """Return the mean CPU time of the server's process for one request, in milliseconds."""
        before = self._process.cpu_times()
        for _ in range(self._requests):
            ask()
        after = self._process.cpu_times()
        spent = after.user + after.system - before.user - before.system
        return 1000 * spent / self._requests

    def _post(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._http.post(route, json=body).raise_for_status().json()


def measure(server: Server, requests: int, rounds: int) -> dict[str, Any]:
    """Return the CPU milliseconds of the chat request, of a label read, and of the routes alone."""
    costs = Costs(server, requests)
    found = [_emotion_round(costs) | _legacy_round(costs) for _ in range(rounds)]
    medians = {name: round(statistics.median(r[name] for r in found), 2) for name in found[0]}
    return {"requests": requests, "median_of": rounds, "cpu_milliseconds": medians}


def _emotion_round(costs: Costs) -> dict[str, float]:
    chats, emotions, reads = [], [], []
    for size in SIZES:
        chat, emotion = costs.chat(LABELS[:size]), costs.emotion(LABELS[:size])
        _warm_up(chat, emotion)
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


def _legacy_round(costs: Costs) -> dict[str, float]:
    asks = (costs.demo_chat(), costs.process_video(), costs.predict())
    _warm_up(*asks)
    chat, process_video, predict = map(costs.milliseconds, asks)
    return {
        "added_by_process_video": process_video - chat,
        "added_by_predict": predict - chat,
    }


def _warm_up(*asks: Ask) -> None:
    for _ in range(WARM_UP):
        for ask in asks:
            ask()


def _check(answer: str) -> None:
    if answer.strip() != ANSWER:
        raise SystemExit(f"The answers differ, and with them their costs: {answer!r}.")


def _chat(text: str) -> dict[str, Any]:
    """Return the body of a chat request about the clip, without its sampling."""
    content = [
        {"type": "video_url", "video_url": {"url": CLIP}},
        {"type": "text", "text": text},
    ]
    return {
        "model": demo_files.MODEL_NAME,
        "messages": [{"role": "user", "content": content}],
    }


def _text(labels: tuple[str, ...]) -> str:
    """Return the user's turn that `/v1/emotion` writes for these labels."""
    served = read_served(demo_files.MODEL_NAME, str(demo_files.checkpoint()))
    return emotion_text(EmotionRequest(labels=list(labels)), served.card)


def main() -> None:
    """Run the command line."""
    options = report.parser(MODULE, __doc__).parse_args()
    effort = (QUICK_REQUESTS, QUICK_ROUNDS) if options.quick else (REQUESTS, ROUNDS)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "log")) as server:
        found = measure(server, *effort)
    report.write(options.out, MODULE, found)


if __name__ == "__main__":
    main()
