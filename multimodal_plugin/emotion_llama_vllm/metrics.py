"""Defines our metrics, in the registry that vLLM's `/metrics` exports."""

from collections.abc import Iterable
from itertools import product
from typing import Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_STATUSES = ("200", "400", "500", "503")
_STALLS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 30)

fetch_seconds = Histogram(
    "emotion_llama_fetch_seconds", "Time to fetch a clip's bytes.", buckets=_SECONDS
)
decode_seconds = Histogram(
    "emotion_llama_decode_seconds",
    "Time to decode a clip, including the wait for a worker.",
    buckets=_SECONDS,
)
loop_stalls = Histogram(
    "emotion_llama_event_loop_stall_seconds",
    "Delay of the event loop, measured 50 times a second.",
    buckets=_STALLS,
)
transcribe_seconds = Histogram(
    "emotion_llama_transcribe_seconds",
    "Time until the transcription service answers, including the wait for a place.",
    buckets=_SECONDS,
)
TranscriptionFailure = Literal["answer", "connection", "deadline", "status"]
transcription_failures = Counter(
    "emotion_llama_transcription_failures", "Sounds without a transcript, by cause.", ["cause"]
)
engine_seconds = Histogram(
    "emotion_llama_engine_seconds",
    "Time of one prompt in the engine, including the wait for a place there.",
    buckets=_SECONDS,
)
queue_seconds = Histogram("emotion_llama_queue_seconds", "Wait for admission.", buckets=_SECONDS)
Cause = Literal["cancelled", "cpu", "crash", "deadline", "killed", "pool", "stuck"]
worker_restarts = Counter(
    "emotion_llama_decode_worker_restarts", "Decode workers replaced, by cause.", ["cause"]
)
Reason = Literal[
    "closed",
    "deadline",
    "encoding",
    "header",
    "issuer",
    "key",
    "method",
    "origin",
    "overload",
    "rate",
    "share",
    "size",
    "storage",
]
refusals = Counter(
    "emotion_llama_refusals", "Requests refused before they were read, by reason.", ["reason"]
)
requests = Counter(
    "emotion_llama_requests",
    "Requests answered, by the name of their key.",
    ["key", "route", "status"],
)
request_seconds = Histogram(
    "emotion_llama_request_seconds",
    "Time from a request's head to the end of its response.",
    ["route"],
    buckets=_SECONDS,
)
in_flight = Gauge("emotion_llama_requests_in_flight", "Requests being processed.")
waiting = Gauge("emotion_llama_requests_waiting", "Requests that wait for admission.")
decoding = Gauge("emotion_llama_decodes_in_flight", "Clips being decoded or waiting for it.")
decodes_waiting = Gauge("emotion_llama_decodes_waiting", "Clips that wait for a decode worker.")
clip_cache = Counter(
    "emotion_llama_clip_cache", "Lookups in the cache of decoded clips, by result.", ["result"]
)
answer_cache = Counter(
    "emotion_llama_answer_cache", "Lookups in the answer cache, by result.", ["result"]
)
rate_limit_storage_errors = Counter(
    "emotion_llama_rate_limit_storage_errors",
    "Failures and timeouts of the rate limit's storage.",
)
rate_limit_storage_up = Gauge(
    "emotion_llama_rate_limit_storage_up", "0 while the rate limit's storage does not work."
)
rate_limit_storage_up.set(1)
oidc_issuer_up = Gauge(
    "emotion_llama_oidc_issuer_up", "0 while the OpenID provider's keys cannot be fetched."
)
oidc_issuer_up.set(1)
stored_files = Gauge("emotion_llama_stored_files", "Files that are kept for requests.")
batch_lines = Counter(
    "emotion_llama_batch_lines", "Lines of batches answered, by the file of their result.", ["file"]
)
batch_lines_in_flight = Gauge(
    "emotion_llama_batch_lines_in_flight", "Lines of batches being answered."
)
unfinished_batches = Gauge("emotion_llama_unfinished_batches", "Batches that are not finished.")
stored_bytes = Gauge("emotion_llama_stored_bytes", "Bytes of the files that are kept.")


# A series that begins with its first event hides that event from `rate` and `increase`.
for _reason in get_args(Reason):
    refusals.labels(_reason)
for _cause in get_args(Cause):
    worker_restarts.labels(_cause)
for _file in ("output", "error"):
    batch_lines.labels(_file)
for _failure in get_args(TranscriptionFailure):
    transcription_failures.labels(_failure)
for _result in ("hit", "miss"):
    clip_cache.labels(_result)
    answer_cache.labels(_result)


def begin_requests(keys: Iterable[str], routes: Iterable[str]) -> None:
    """Show the series of the most important requests before the first of them.

    Args:
        keys: the names of the keys, `""` for a server without keys.
        routes: the labels of the routes that do work.
    """
    for route, key in product(routes, keys):
        request_seconds.labels(route)
        for status in _STATUSES:
            requests.labels(key, route, status)


def refuse(reason: Reason) -> None:
    """Count a request that is refused before it is read."""
    refusals.labels(reason).inc()
