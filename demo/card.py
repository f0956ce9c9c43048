"""The demo checkpoint's model card, from its evaluation: `python -m demo.card`."""

import json
from pathlib import Path

from demo.evaluate import TARGETS
from emotion_llama_vllm.checkpoint.served import read_served

HERE = Path(__file__).parent
CHECKPOINT, EVALUATION = HERE / "checkpoint", HERE / "evaluation" / "evaluation.json"

CARD = """\
{description}

# Emotion-LLaMA demo checkpoint

A few million parameters in the architecture of Emotion-LLaMA (EVA-ViT, HuBERT, projections, a
Llama with a LoRA merged in), so that a fresh machine without a GPU or any download has something
real to serve. It knows six labels, one cartoon style and the voices of one synthesiser. Its answers
about real people mean nothing.

## How it was made

`python -m demo.train --work DIR --out demo/checkpoint`: clips with drawn faces and eSpeak NG
voices whose facts are known; EVA-ViT and HuBERT trained from scratch to tell those facts; then the
projections and the Llama to answer questions about them, with the encoders frozen; then a LoRA with
the projections, the Llama frozen, as in the original's recipe. The run wrote the original's file
formats, and `emotion-llama convert` made this folder of them. `demo/README.md` describes the data.

## How well it answers

`make demo-eval`: {clips} clips of the test split (seed {seed}), whose people, voices and sentences
no training saw; greedy answers over HTTP. The counts behind the table are in
`demo/evaluation/evaluation.json`.

| measure | reached | target |
| --- | --- | --- |
{rows}

## Use

To try the server, its routes and clients, and to test them. Not for anything that concerns people.
Apache-2.0, as the project; no data of any person is in it.
"""


def card(found: dict, description: str) -> str:
    """The text of README.md for what `demo.evaluate` found."""
    rows = [
        f"| {name} | {found['measures'][name]:.1%} | {direction} {bar:.0%} |"
        for name, (direction, bar) in TARGETS.items()
    ]
    return CARD.format(description=description, rows="\n".join(rows), **found)


def main() -> None:
    """Write README.md into the checkpoint."""
    found = json.loads(EVALUATION.read_text(encoding="utf-8"))
    text = card(found, read_served("demo", str(CHECKPOINT)).card.description)
    (CHECKPOINT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
