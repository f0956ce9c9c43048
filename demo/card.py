"""Writes the demo checkpoint's model card from its evaluation: `python -m demo.card`."""

import json
from pathlib import Path

from demo.evaluate import TARGETS
from emotion_llama_vllm.checkpoint.served import read_served

HERE = Path(__file__).parent
CHECKPOINT, EVALUATION = HERE / "checkpoint", HERE / "evaluation"

CARD = """\
{description}

# Emotion-LLaMA demo checkpoint

A few million parameters in the architecture of Emotion-LLaMA (EVA-ViT, HuBERT, FaceMAE, VideoMAE,
projections, a Llama with a LoRA merged in), so that a fresh machine without a GPU or any download
has something real to serve. It knows six labels, one cartoon style and the voices of one
synthesiser. Its answers about real people mean nothing.

## How it was made

`python -m demo.train --work DIR --out demo/checkpoint`: clips with drawn faces and eSpeak NG
voices whose facts are known; the encoders trained from scratch to tell those facts, FaceMAE and
VideoMAE from crops of the face that the server's own code made; then the projections and the Llama
to answer questions about them, with the encoders frozen; then a LoRA with the projections, the
Llama frozen, as in the original's recipe. The Llama learnt with the feature rows of the face and
with zeros in their place, so it answers with both. The run wrote the original's file formats, and
`emotion-llama convert` made this folder of them. `demo/README.md` describes the data.

## How well it answers

`make demo-eval`: {clips} clips of the test split (seed {seed}), whose people, voices and sentences
no training saw; greedy answers over HTTP. `demo/evaluation/` holds the counts behind the numbers, a
picture of the confusions and one of the training's losses.

In the apex family the first frame is neutral, and the expression comes later: the face's rows tell
it, or the peak frame. "Alone" means with zeros in place of those rows.

| measure | reached | target |
| --- | --- | --- |
{rows}

The probabilities of `POST /v1/emotion` over the same clips have a calibration error of
{calibration_error}; of the timelines' windows on either side of a change of emotion, in
{changing_clips} clips that change, {windows_right:.1%} are named right.

## Use

To try the server, its routes and clients, and to test them. Not for anything that concerns people.
Apache-2.0, as the project; no data of any person is in it.
"""


def card(found: dict, numbers: dict, description: str) -> str:
    """Return the text of README.md for the results of `demo.evaluate` and `demo.numbers`."""
    rows = [
        f"| {name} | {found['measures'][name]:.1%} | {direction} {bar:.0%} |"
        for name, (direction, bar) in TARGETS.items()
    ]
    return CARD.format(**numbers | found, description=description, rows="\n".join(rows))


def read_found() -> tuple[dict, dict]:
    """Return the committed results of the two evaluations."""
    evaluation, numbers = (
        json.loads((EVALUATION / name).read_text(encoding="utf-8"))
        for name in ("evaluation.json", "numbers.json")
    )
    return evaluation, numbers


def main() -> None:
    """Write README.md into the checkpoint."""
    text = card(*read_found(), read_served("demo", str(CHECKPOINT)).card.description)
    (CHECKPOINT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
