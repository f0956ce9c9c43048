"""Writes the user's turns about a clip: the transcript, then the checkpoint's own question."""

from emotion_llama.prompt import with_transcript
from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.analysis.spelling import scored_spellings
from emotion_llama_vllm.checkpoint.card import Card

LABELS_HERE = "{labels}"


def labels(request: EmotionRequest, card: Card) -> dict[str, str]:
    """Map each label of the request, as the caller writes it, to the spelling that is scored.

    Raises:
        FieldError: two labels of the request mean the same label of the checkpoint.
    """
    return scored_spellings(request.labels or card.labels, card.labels)


def emotion_text(request: EmotionRequest, card: Card) -> str:
    """Return the user's turn that asks for a label, in the checkpoint's spelling."""
    question = card.questions[request.language].emotion
    named = ", ".join(labels(request, card).values())
    return with_transcript(question.replace(LABELS_HERE, named), request.transcript)


def reason_text(request: EmotionRequest, card: Card) -> str:
    """Return the user's turn that asks for an explanation."""
    question = request.question or card.questions[request.language].reason
    return with_transcript(question, request.transcript)
