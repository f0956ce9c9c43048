"""Provides the clients of an Emotion-LLaMA server; they need neither torch nor vLLM."""

from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.batch import Batch
from emotion_llama.batches.lines import ClipUpload
from emotion_llama.client import EmotionLLaMA
from emotion_llama.many import Analysis
from emotion_llama.schema import (
    AnalysisWarning,
    EmotionRequest,
    EmotionResponse,
    TimelineRequest,
)
from emotion_llama.stored import FileObject

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "AsyncEmotionLLaMA",
    "Batch",
    "ClipUpload",
    "EmotionLLaMA",
    "EmotionRequest",
    "EmotionResponse",
    "FileObject",
    "TimelineRequest",
]
