"""Gives each prompt of an analysis the words that are said in its part of the clip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emotion_llama.schema import AnalysisWarning, EmotionRequest, EmotionResponse, TimelineWindow
from emotion_llama_server.transcripts.errors import TranscriptionError
from emotion_llama_server.transcripts.heard import Heard
from emotion_llama_server.transcripts.transcriber import Transcriber
from emotion_llama_vllm.analysis import questions
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.decode.timeline import Timeline, Window

_ANSWERS_SHARE = 4
"""The divisor of the context: a quarter stays free for the answer, if it may be so long."""
_SLACK = 8
"""The positions by which the tokens of parts may differ from those of the whole prompt."""


class Prompts(Protocol):
    """Counts the positions of prompts, as `Engine` does."""

    @property
    def max_model_len(self) -> int: ...

    def count(self, text: str) -> int:
        """Return the number of positions of the evaluation prompt with this text and a clip."""
        ...

    def cut(self, words: str, tokens: int) -> str:
        """Return the beginning of a text that has at most so many tokens."""
        ...


@dataclass(frozen=True)
class Words:
    """Holds what a transcription service heard in a clip, for its prompts and for the caller.

    Args:
        request: the request as the caller sent it.
        whole: the words in the prompts about the whole clip; None if there is no transcript.
        windows: the words of each window, by its start.
        warnings: what the caller should know about them.
        has_failed: whether the service gave no transcript.
    """

    request: EmotionRequest
    whole: str | None = None
    windows: Mapping[float, str] = field(default_factory=dict)
    warnings: Sequence[AnalysisWarning] = ()
    has_failed: bool = False

    def asked(self) -> EmotionRequest:
        """Return the request with the words of the whole clip as its transcript."""
        return self.request if self.whole is None else _with(self.request, self.whole)

    def asked_about(self, window: Window) -> EmotionRequest:
        """Return the request with the words of a window as its transcript."""
        said = self.windows.get(window.start)
        return self.request if said is None else _with(self.request, said)

    def tell(self, answer: EmotionResponse) -> EmotionResponse:
        """Return the answer with what was heard, and with the warnings about it."""
        evidence = answer.evidence.model_copy(update={"transcript": self.whole})
        warnings = [*answer.warnings, *self.warnings]
        return answer.model_copy(update={"evidence": evidence, "warnings": warnings})

    def tell_window(self, event: TimelineWindow, window: Window) -> TimelineWindow:
        """Return the answer about a window with the words that are said in it."""
        return event.model_copy(update={"transcript": self.windows.get(window.start)})


def check(request: EmotionRequest, transcriber: Transcriber | None) -> None:
    """Raise FieldError for a request that asks for a transcript which cannot be made."""
    if request.transcribe and transcriber is None:
        raise FieldError(
            "This server has no transcription service: send the words as `transcript`, or start "
            "it with --transcriber-url.",
            field="transcribe",
        )
    if request.transcribe and request.transcript.strip():
        raise FieldError(
            "Send the words as `transcript`, or let the server transcribe the clip; not both.",
            field="transcribe",
        )


def without(request: EmotionRequest, error: TranscriptionError) -> Words:
    """Return no words for a request that goes on without a transcript, and the warning."""
    message = f"{error} The model read an empty transcript."
    warning = AnalysisWarning(code="transcription_failed", message=message)
    return Words(request, warnings=(warning,), has_failed=True)


def divide(
    request: EmotionRequest, heard: Heard, timeline: Timeline, prompts: Prompts, card: Card
) -> Words:
    """Return the words of the whole clip and of each window, as far as they fit into a prompt.

    Args:
        request: the request.
        heard: everything that was heard.
        timeline: the clip and its windows.
        prompts: counts what fits.
        card: has the checkpoint's questions.
    """
    room = _room(request, prompts, card)
    said = heard.first(timeline.whole.audio_seconds)
    whole = prompts.cut(said, room)
    windows = {
        window.start: prompts.cut(heard.between(window.start, window.end), room)
        for window in timeline.windows
    }
    return Words(request, whole, windows, _warnings(heard, timeline, is_cut=whole != said))


def _room(request: EmotionRequest, prompts: Prompts, card: Card) -> int:
    """Return the number of tokens that a transcript may have."""
    texts = (questions.emotion_text(request, card), questions.reason_text(request, card))
    answer = min(request.max_tokens, prompts.max_model_len // _ANSWERS_SHARE)
    return max(0, prompts.max_model_len - max(map(prompts.count, texts)) - answer - _SLACK)


def _warnings(heard: Heard, timeline: Timeline, *, is_cut: bool) -> Sequence[AnalysisWarning]:
    found = []
    if is_cut:
        words = "The transcript is too long for the model: it read the beginning."
        found.append(AnalysisWarning(code="transcript_cut", message=words))
    if heard.segments is None and timeline.windows:
        words = "The transcription service tells no times: the windows have an empty transcript."
        found.append(AnalysisWarning(code="transcript_without_times", message=words))
    return found


def _with(request: EmotionRequest, words: str) -> EmotionRequest:
    return request.model_copy(update={"transcript": words})
