"""Trains the Llama to answer about clips, from the outputs of the frozen encoders.

The order is the original's: finished encoders, a Llama that can write, and at the end a LoRA and
the projections, while the Llama itself is frozen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from demo.training.clips import Clips
from demo.training.encoded import BLANKS, Encoded
from demo.training.examples import draw_example
from demo.training.loop import Stage, train
from demo.training.prompt import answer_ids, prompt_ids
from demo.training.speaker import Speaker
from emotion_llama.prompt import with_transcript
from emotion_llama_vllm.config import EmotionLlamaConfig

BATCH, TOGETHER = 48, 12
PADDING = 2
"""The padding id: any id except the clip's, because attention ignores ids after an answer."""
LABEL_WEIGHT = 4
"""The weight of a short answer's token, relative to a long answer's token."""

Drawn = tuple[list[int], list[int], torch.Tensor, torch.Tensor]
"""A prompt, its answer, the encoded picture and the feature rows."""
BLACK = 0.05
"""The share of conversations without face rows that have those of black crops."""


@dataclass(frozen=True)
class Material:
    """Holds all data from which examples are drawn."""

    clips: Clips
    encoded: Encoded
    tokenizer: PreTrainedTokenizerFast

    def loss(self, speaker: Speaker, rng: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy of the answers' tokens in a batch of conversations."""
        chosen = rng.choice(len(self.clips), BATCH, replace=False)
        drawn = [self._draw(int(index), speaker.config, rng) for index in chosen]
        drawn.sort(key=lambda part: len(part[0]) + len(part[1]))
        # The Llama gets conversations of similar length together, to save padding.
        sums = [self._sum(speaker, drawn[i : i + TOGETHER]) for i in range(0, BATCH, TOGETHER)]
        losses, weights = map(torch.stack, zip(*sums, strict=True))
        return losses.sum() / weights.sum()

    def _sum(self, speaker: Speaker, drawn: list[Drawn]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sum of some conversations' weighted losses, and the sum of the weights."""
        prompts, answers, images, rows = zip(*drawn, strict=True)
        ids = nn.utils.rnn.pad_sequence(
            [torch.tensor(p + a) for p, a in zip(prompts, answers, strict=True)],
            batch_first=True,
            padding_value=PADDING,
        )
        with torch.autocast("cpu", torch.bfloat16):
            hidden = speaker(ids, torch.stack(images).float(), torch.stack(rows))
            answered, weights = _answered(prompts, answers)
            logits = speaker.llama.lm_head(hidden[answered])
        tokens = torch.tensor([token for answer in answers for token in answer])
        losses = F.cross_entropy(logits.float(), tokens, reduction="none")
        return (losses * weights).sum(), weights.sum()

    def _draw(self, index: int, config: EmotionLlamaConfig, rng: np.random.Generator) -> Drawn:
        seen, heard = self.encoded.image[index], self.encoded.sound[index]
        picture = int(rng.integers(len(seen)))
        example = draw_example(
            self.clips.rows[index],
            self.clips.facts(index),
            rng,
            strength=self.clips.strengths[index, picture],
            has_face_rows=bool(self.encoded.faces[index].any()),
        )
        image = seen[picture]
        if not example.picture:
            image = self.encoded.blank[int(rng.integers(BLANKS))]
        sound = heard[int(rng.random() < 0.3)] * example.sound
        faces = self.encoded.faces[index] * example.face_rows
        if not example.face_rows and rng.random() < BLACK:
            faces = self.encoded.black
        prompt = prompt_ids(example.messages, example.style, self.tokenizer, config)
        rows = torch.cat([faces, sound[None]])
        return prompt, answer_ids(example.answer, self.tokenizer), image, rows


def _answered(
    prompts: tuple[list[int], ...], answers: tuple[list[int], ...]
) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return the positions that predict the answers' tokens, and each token's weight."""
    rows, columns, weights = [], [], []
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        rows += [row] * len(answer)
        columns += range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        weights += [LABEL_WEIGHT if len(answer) < 8 else 1] * len(answer)
    return (torch.tensor(rows), torch.tensor(columns)), torch.tensor(weights)


def train_speaker(speaker: Speaker, material: Material, stage: Stage) -> list[float]:
    """Train the parameters of the speaker that need gradients."""
    return train(stage, speaker, lambda rng: material.loss(speaker, rng))


def texts(clips: Clips, rng: np.random.Generator) -> Iterator[str]:
    """Yield texts for training the tokenizer: questions and answers about clips."""
    for index in range(len(clips)):
        example = draw_example(clips.rows[index], clips.facts(index), rng)
        for message in example.messages:
            content = message["content"]
            yield content if isinstance(content, str) else content[1]["text"]
        yield example.answer


@torch.inference_mode()
def label_accuracy(speaker: Speaker, material: Material, faces: bool) -> dict[str, float]:
    """Return the share of `[emotion]` prompts whose most probable next token is correct.

    The clips come with their first picture, and with the feature rows of `faces` or zeros.
    """
    right: dict[str, list[bool]] = {}
    for index, row in enumerate(material.clips.rows):
        text = with_transcript(row["question"], row["transcript"])
        content = [{"type": "video"}, {"type": "text", "text": text}]
        prompt = prompt_ids(
            [{"role": "user", "content": content}], "eval", material.tokenizer, speaker.config
        )
        encoded = material.encoded
        rows = torch.cat([encoded.faces[index] * faces, encoded.sound[index, :1]])
        hidden = speaker(torch.tensor([prompt]), encoded.image[None, index, 0].float(), rows[None])
        told = int(speaker.llama.lm_head(hidden[0, -1]).argmax())
        is_right = told == answer_ids(row["label"], material.tokenizer)[0]
        right.setdefault(row["family"], []).append(is_right)
    return {family: float(np.mean(found)) for family, found in right.items()}
