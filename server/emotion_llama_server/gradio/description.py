"""Builds the descriptions and events that Gradio's clients receive.

The app has one function, which takes two texts and returns one.
"""

import json
from typing import Any

Told = dict[str, Any]
"""The result of a question: `data` and `duration`, or `error`."""

_CLIP, _QUESTION, _ANSWER = "Video path", "Question", "Model answer"
_TEXT = {"type": {"type": "string"}, "python_type": {"type": "str"}, "component": "Textbox"}


def config(max_file_bytes: int) -> dict[str, Any]:
    """Return the app's parts and its protocol.

    With `sse`, each question has a stream of its own. In later protocols of Gradio a client has one
    stream for all questions, and loses answers if that ends while another question begins.
    """
    labels = enumerate((_CLIP, _QUESTION, _ANSWER))
    return {
        "version": "4.44.1",
        "protocol": "sse",
        "connect_heartbeat": False,
        "max_file_size": max_file_bytes,
        "components": [
            {"id": place, "type": "textbox", "props": {"label": label}} for place, label in labels
        ],
        "dependencies": [
            {
                "id": 0,
                "api_name": "predict",
                "inputs": [0, 1],
                "outputs": [2],
                "backend_fn": True,
                "show_api": True,
                "queue": False,
            }
        ],
    }


def info() -> dict[str, Any]:
    """Return the names and types of the function's inputs and outputs."""
    predict = {
        "parameters": [
            {"label": _CLIP, "parameter_name": "video_path", **_TEXT},
            {"label": _QUESTION, "parameter_name": "question", **_TEXT},
        ],
        "returns": [{"label": _ANSWER, **_TEXT}],
    }
    return {"named_endpoints": {"/predict": predict}, "unnamed_endpoints": {}}


def queue_message(message: dict[str, Any]) -> str:
    """Return a message as an event of the queue's stream."""
    return f"data: {json.dumps(message)}\n\n"


def queue_event(event_id: str, told: Told | None) -> str:
    """Return the queue's event with a question's result, or a heartbeat if there is none yet."""
    if told is None:
        return queue_message({"msg": "heartbeat"})
    message = {"msg": "process_completed", "event_id": event_id, "output": told}
    return queue_message({**message, "success": "data" in told})


def call_event(_event_id: str, told: Told | None) -> str:
    """Return the call's event with a question's result, or a heartbeat if there is none yet."""
    if told is None:
        name, data = "heartbeat", None
    elif "data" in told:
        name, data = "complete", told["data"]
    else:
        name, data = "error", told["error"]
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
