"""Writes the text of a tool's result, for people and for agents that read no structured result."""

from collections.abc import Iterator, Sequence

from emotion_llama.schema import Emotion, EmotionResponse


def of_analysis(answer: EmotionResponse) -> str:
    """Return an analysis in words: the labels, the explanation, the timeline, what to beware of."""
    return "\n".join([*_emotion(answer), *_timeline(answer), *_beware(answer)])


def of_words(said: str, answer: EmotionResponse) -> str:
    """Return an answer in words, and what to beware of."""
    return "\n".join([said, *_beware(answer)])


def of_labels(labels: Sequence[str], model: str, description: str) -> str:
    """Return the labels of a model in words."""
    return f"Labels of {model}: {', '.join(labels)}\n{description}"


def _emotion(answer: EmotionResponse) -> Iterator[str]:
    yield f"Emotion: {_label(answer)}"
    ordered = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
    yield f"All labels: {', '.join(f'{label} {share:.1%}' for label, share in ordered)}"
    if answer.answer is not None:
        yield f"The model's own answer: {answer.answer}"
    if answer.explanation is not None:
        yield f"Explanation: {answer.explanation}"


def _timeline(answer: EmotionResponse) -> Iterator[str]:
    for window in answer.timeline or ():
        yield f"{window.start:g}–{window.end:g} s: {_label(window)}"


def _beware(answer: EmotionResponse) -> Iterator[str]:
    for warning in answer.warnings:
        yield f"Warning: {warning.message}"
    yield f"Notice: {answer.notice}"


def _label(found: Emotion) -> str:
    return f"{found.emotion} ({found.confidence:.1%})"
