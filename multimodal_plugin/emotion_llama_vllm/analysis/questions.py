"""What the model is asked about a clip: the checkpoint's own questions, behind what was said."""

from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.analysis.spelling import scored_spellings
from emotion_llama_vllm.checkpoint.card import Card

LABELS_HERE = "{labels}"


def labels(request: EmotionRequest, card: Card) -> dict[str, str]:
    """Map each label to choose from, as the caller writes it, to the spelling that is scored.

    Raises:
        VLLMValidationError: two labels of the request mean the same label of the checkpoint.
    """
    return scored_spellings(request.labels or card.labels, card.labels)


def emotion_text(request: EmotionRequest, card: Card) -> str:
    """Return the user's turn that asks for a label, in the checkpoint's spelling."""
    question = card.questions[request.language].emotion
    named = ", ".join(labels(request, card).values())
    return _with_transcript(request.transcript, question.replace(LABELS_HERE, named))


def reason_text(request: EmotionRequest, card: Card) -> str:
    """The user's turn that asks for an explanation."""
    question = request.question or card.questions[request.language].reason
    return _with_transcript(request.transcript, question)


def _with_transcript(transcript: str, question: str) -> str:
    """The sentence is there when nothing was said, too: `mer2024.py:140-143` of the original."""
    return f"The person in video says: {transcript}.  {question}"
