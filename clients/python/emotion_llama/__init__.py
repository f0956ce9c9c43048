"""Provides the clients of an Emotion-LLaMA server; they need neither torch nor vLLM."""

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.client import EmotionLLaMA
from emotion_llama.many import Analysis
from emotion_llama.schema import (
    AnalysisWarning,
    EmotionRequest,
    EmotionResponse,
    TimelineRequest,
)

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "AsyncEmotionLLaMA",
    "EmotionLLaMA",
    "EmotionRequest",
    "EmotionResponse",
    "TimelineRequest",
]
