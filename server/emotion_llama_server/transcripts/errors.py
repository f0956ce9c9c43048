"""Defines the errors about a transcription, which reach a caller that asked for one."""

from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.metrics import TranscriptionFailure


class TranscriptionError(MediaError):
    """Reports that no words came from the transcription service.

    Args:
        words: the sentence for the client, without the service's address.
        cause: the kind of failure, for the metrics.
        reason: the sentence for the log.
        may_pass: whether another attempt may succeed.
    """

    status = 502
    field = "transcribe"

    def __init__(
        self, words: str, cause: TranscriptionFailure, reason: str, *, may_pass: bool = False
    ) -> None:
        super().__init__(words)
        self.cause: TranscriptionFailure = cause
        self.reason = reason
        self.may_pass = may_pass


class TranscriptionTimeout(TranscriptionError):
    """Reports that the transcription service did not answer in time."""

    status = 504
