"""Keeps the uploads and answers of Gradio's clients between their requests."""

import asyncio

from emotion_llama_server.gradio.description import Told
from emotion_llama_server.gradio.kept import Kept
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.settings import media_settings

KEEP_SECONDS = 300
"""Seconds for which an upload waits for its question, and an answer for its client."""
_UPLOADS, _QUESTIONS = 4, 256
"""The limits for one owner: uploads of so many times the largest clip's size, and questions."""

Output = asyncio.Future[Told]


class Desk:
    """Keeps the data of Gradio's clients in one app.

    Args:
        seconds: the seconds that one request may take, for which a pending answer is kept too.
    """

    def __init__(self, seconds: float) -> None:
        mebibytes = max(1, round(_UPLOADS * media_settings().max_media_mb))
        self.uploads = Kept[ClipFile](mebibytes, KEEP_SECONDS, ClipFile.close)
        self.outputs = Kept[Output](_QUESTIONS, seconds + KEEP_SECONDS, asyncio.Future.cancel)
