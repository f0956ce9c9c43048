"""Runs every training: seeded, resumable, with a progress bar and a record of the loss."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from demo.chance import stream

WARM_UP = 0.05
SAVE_EVERY = 250
LossAt = Callable[[np.random.Generator], torch.Tensor]


@dataclass(frozen=True)
class Stage:
    """Describes one training: `steps` of AdamW, with a rate that rises to `rate` and falls to 0."""

    name: str
    steps: int
    rate: float
    folder: Path
    seed: int

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pt"


def train(stage: Stage, module: nn.Module, loss_at: LossAt) -> list[float]:
    """Train the parameters of `module` that need gradients; return the loss of every step.

    The random numbers of each step depend only on the seed and the step's number, so a new start
    after an interruption gives the same result. A finished training is only loaded.
    """
    wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(wanted, lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.02)
    losses = _resume(stage, module, optimizer)
    module.train()
    with _progress() as bar:
        task = bar.add_task(stage.name, total=stage.steps, completed=len(losses), loss=math.nan)
        while len(losses) < stage.steps:
            loss = _step(stage, len(losses), optimizer, loss_at)
            losses.append(loss)
            bar.update(task, completed=len(losses), loss=np.mean(losses[-50:]))
            if len(losses) % SAVE_EVERY == 0 or len(losses) == stage.steps:
                _save(stage, module, optimizer, losses)
    module.eval()
    return losses


def _step(stage: Stage, step: int, optimizer: torch.optim.Optimizer, loss_at: LossAt) -> float:
    for group in optimizer.param_groups:
        group["lr"] = stage.rate * _schedule(step / stage.steps)
    rng = stream("training", stage.name, stage.seed, step)
    torch.manual_seed(int(rng.integers(2**31)))
    loss = loss_at(rng)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    return float(loss.detach())


def _schedule(done: float) -> float:
    return min(done / WARM_UP, 0.5 * (1 + math.cos(math.pi * done))) if done else 0.0


def _resume(stage: Stage, module: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
    if not stage.file.exists():
        return []
    saved = torch.load(stage.file, weights_only=True)
    module.load_state_dict(saved["module"])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["losses"]


def _save(
    stage: Stage, module: nn.Module, optimizer: torch.optim.Optimizer, losses: list[float]
) -> None:
    stage.folder.mkdir(parents=True, exist_ok=True)
    partial = stage.file.with_suffix(".partial")
    state = {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "losses": losses}
    torch.save(state, partial)
    partial.replace(stage.file)


def _progress() -> Progress:
    columns = ("[progress.description]{task.description}", "loss {task.fields[loss]:.3f}")
    first, last = (TextColumn(column) for column in columns)
    return Progress(first, BarColumn(), TextColumn("{task.completed}/{task.total}"),
                    TimeRemainingColumn(), last)  # fmt: skip
