"""Talks about a clip with OpenAI's SDK: an explanation as it is written, then a question more.

pip install openai
python examples/openai_sdk.py [CLIP]
"""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openai import OpenAI

SERVER = "http://127.0.0.1:7889"
QUESTIONS = ("[reason] Which emotion does this reflect, and why?", "How does the voice sound?")


def main() -> None:
    """Ask each question, with the earlier ones and the clip before it."""
    clip = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/clips/happy_face.mp4")
    client = OpenAI(base_url=f"{SERVER}/v1", api_key="none")  # or one of the server's keys
    model = client.models.list().data[0].id
    messages: list[Any] = []
    for question in QUESTIONS:
        text = {"type": "text", "text": question}
        content = [text] if messages else [part_of(clip), text]
        messages.append({"role": "user", "content": content})
        print(f"> {question}")
        answer = ""
        for piece in pieces(client, model, messages):
            print(piece, end="", flush=True)
            answer += piece
        print()
        messages.append({"role": "assistant", "content": answer})


def part_of(clip: Path) -> dict[str, Any]:
    """Return the part of a message that carries a clip."""
    data = base64.b64encode(clip.read_bytes()).decode()
    return {"type": "file", "file": {"file_data": f"data:video/mp4;base64,{data}"}}


def pieces(client: OpenAI, model: str, messages: list[Any]) -> Iterator[str]:
    """Yield an answer piece by piece."""
    stream = client.chat.completions.create(
        model=model, messages=messages, max_tokens=128, temperature=0, stream=True
    )
    for chunk in stream:
        yield chunk.choices[0].delta.content or ""


if __name__ == "__main__":
    main()
