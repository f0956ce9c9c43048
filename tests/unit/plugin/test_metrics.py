"""Every series that an alert or a panel watches is there before its first event."""

from prometheus_client import REGISTRY, generate_latest

from emotion_llama_server import paths
from emotion_llama_vllm import metrics


def test_each_series_begins_at_zero() -> None:
    metrics.begin_requests(["alice"], paths.WORK)
    shown = generate_latest(REGISTRY).decode()
    for series in (
        'emotion_llama_refusals_total{reason="overload"}',
        'emotion_llama_decode_worker_restarts_total{cause="killed"}',
        'emotion_llama_clip_cache_total{result="hit"}',
        'emotion_llama_answer_cache_total{result="miss"}',
        'emotion_llama_requests_total{key="alice",route="/v1/emotion",status="503"} 0.0',
        'emotion_llama_request_seconds_count{route="/process_video"}',
        "emotion_llama_engine_seconds_count",
        "emotion_llama_decodes_waiting",
    ):
        assert series in shown
