"""Writes the user's turn in the form of the original's evaluation."""


def with_transcript(question: str, transcript: str = "") -> str:
    """Put the words that the person says before a question.

    The sentence is present for an empty transcript too, as in `mer2024.py:140-143` of the original.

    Args:
        question: the question, which begins with `[emotion]` or `[reason]`.
        transcript: the words; empty if they are not known.
    """
    return f"The person in video says: {transcript}.  {question}"
