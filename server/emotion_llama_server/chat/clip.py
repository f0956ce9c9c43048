"""Converts the clip of a chat request to the one form that vLLM reads, or reports its absence."""

from collections.abc import Iterator
from typing import Any

from emotion_llama.media import is_url
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.media.read.uploads import is_file_id

_HOW = '{"type": "video_url", "video_url": {"url": ...}}'
_FILES, _IMAGES = ("file", "input_file"), ("image_url", "input_image")
_SOUNDS = ("input_audio", "audio_url")
_BESIDE_MESSAGES = (
    *("video", "video_url", "videos", "image", "images", "file", "files", "media", "attachments"),
)
"""The fields in which clients put a clip although chat never reads them."""

PICTURE_WARNING = (
    "picture_as_clip: An image_url part was taken as the clip; "
    "a picture is a clip of one frame without sound."
)
SOUND_WARNING = (
    "sound_as_clip: A part of sound alone was taken as the clip; the model sees a black picture "
    "in place of the person, and was not trained so."
)


def unify(body: dict[str, Any]) -> list[str]:
    """Rewrite every message part that contains a clip as a `video_url` part.

    Args:
        body: the request's body, which is rewritten in place.

    Returns:
        The warnings for the client.

    Raises:
        FieldError: a part names no clip.
    """
    warnings: list[str] = []
    for part in _parts(body):
        kind = _kind(part)
        if kind in _SOUNDS:
            url = _of_sound(part, kind)
        elif kind in _FILES:
            url = _of_file(part)
        elif kind in (*_IMAGES, "video_url"):
            url = _of_url(part, "video_url" if kind == "video_url" else "image_url")
        else:
            continue
        if kind in _IMAGES:
            warnings.append(PICTURE_WARNING)
        if kind in _SOUNDS:
            warnings.append(SOUND_WARNING)
        part.clear()
        part.update({"type": "video_url", "video_url": {"url": url}})
    return list(dict.fromkeys(warnings))


def check_present(body: dict[str, Any]) -> None:
    """Check that a conversation with unified parts has a clip.

    Raises:
        FieldError: there is no clip.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or any(_kind(part) not in _TEXTS for part in _parts(body)):
        return
    beside = next((name for name in _BESIDE_MESSAGES if name in body), None)
    hint = f"; `{beside}` beside `messages` is not read" if beside else ""
    raise FieldError(
        f"There is no clip in this conversation{hint}. Send it in a user's message as {_HOW}; "
        "send the earlier messages of the conversation again, with their clips.",
        field=beside or "messages",
    )


_TEXTS = ("text", "input_text", "output_text", "refusal", "thinking")


def _parts(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict):
                yield part


def _kind(part: dict[str, Any]) -> str:
    """Return a part's type; some clients leave it out and send only its field."""
    kind = part.get("type")
    if kind is not None:
        return str(kind)
    return next((name for name in (*_SOUNDS, "video_url", *_IMAGES, *_FILES) if name in part), "")


def _of_url(part: dict[str, Any], name: str) -> str:
    """Return the URL of a part, which is a text or inside an object."""
    given = part.get(name)
    url = given.get("url") if isinstance(given, dict) else given
    if not isinstance(url, str):
        raise FieldError(f"A part of the messages names no clip: send {_HOW}.", field="messages")
    return url


def _of_sound(part: dict[str, Any], kind: str) -> str:
    """Return the sound of OpenAI's part `input_audio`, or the URL of vLLM's `audio_url`."""
    if kind == "audio_url":
        return _of_url(part, kind)
    given = part.get(kind)
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(data, str) or not data:
        raise FieldError(
            "An input_audio part needs `data`, the sound file as base64.", field="messages"
        )
    # Its `format` is not needed: the file itself says what it is.
    return data if is_url(data) else f"data:audio/wav;base64,{data}"


def _of_file(part: dict[str, Any]) -> str:
    """Return the data or the URL of a `file` part in the form of OpenAI's SDKs and LiteLLM."""
    file = part.get("file")
    fields = file if isinstance(file, dict) else part
    given = [fields.get(name) for name in ("file_data", "file_url", "file_id")]
    data, url, identifier = (value if isinstance(value, str) and value else None for value in given)
    if identifier is not None and not is_url(identifier) and not is_file_id(identifier):
        identifier = None  # the id of a file that was uploaded elsewhere
    clip = data or url or identifier
    if clip is None:
        raise FieldError(
            "A file part needs `file_data`, the file as a data URL or base64, or the `file_id` of "
            "an upload to this server.",
            field="messages",
        )
    return clip
