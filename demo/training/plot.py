"""Draws the losses of a training."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

WINDOW = 25


def plot_losses(losses: dict[str, list[float]], file: Path) -> None:
    """Draw one panel for each stage, with the loss averaged over WINDOW steps."""
    figure = Figure(figsize=(3 * len(losses), 2.6), layout="constrained")
    panels = figure.subplots(1, len(losses), squeeze=False)[0]
    for panel, (name, values) in zip(panels, losses.items(), strict=True):
        mean = np.convolve(values, np.ones(WINDOW) / WINDOW, mode="valid")
        panel.semilogy(np.arange(len(mean)) + WINDOW, mean, linewidth=1)
        panel.set(title=name, xlabel="step", ylabel="loss")
    figure.savefig(file, dpi=110)
