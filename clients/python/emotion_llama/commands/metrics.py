"""Computes the metrics of labels and confidences that papers on emotion recognition report."""

from collections.abc import Sequence

from pydantic import BaseModel

BINS = 10


class Metrics(BaseModel):
    """Holds the metrics, all between 0 and 1."""

    accuracy: float
    weighted_f1: float
    """The mean F1 of all labels, weighted by how often each label is true."""
    uar: float
    """The unweighted average recall: the mean of the labels' recalls."""
    war: float
    """The weighted average recall, which equals the accuracy."""
    calibration_error: float
    """The expected calibration error of the confidences, in 10 equal bins."""


def confusion(labels: Sequence[str], true: Sequence[str], told: Sequence[str]) -> list[list[int]]:
    """Return the number of clips by true label (rows) and predicted label (columns)."""
    counts = [[0] * len(labels) for _ in labels]
    for one, other in zip(true, told, strict=True):
        counts[labels.index(one)][labels.index(other)] += 1
    return counts


def measure(
    counts: Sequence[Sequence[int]], confidences: Sequence[float], right: Sequence[bool]
) -> Metrics:
    """Return the metrics of a confusion matrix and of its answers' confidences."""
    total = sum(map(sum, counts))
    hits = [counts[i][i] for i in range(len(counts))]
    is_true = [sum(row) for row in counts]
    is_told = [sum(column) for column in zip(*counts, strict=True)]
    accuracy = sum(hits) / total
    f1 = sum(
        true * 2 * hit / (true + told)
        for hit, true, told in zip(hits, is_true, is_told, strict=True)
        if true
    )
    recalls = [hit / true for hit, true in zip(hits, is_true, strict=True) if true]
    return Metrics(
        accuracy=accuracy,
        weighted_f1=f1 / total,
        uar=sum(recalls) / len(recalls),
        war=accuracy,
        calibration_error=calibration_error(confidences, right),
    )


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean distance of confidence and accuracy in bins, weighted by their sizes."""
    gaps = [0.0] * BINS
    for confidence, is_right in zip(confidences, right, strict=True):
        gaps[min(int(confidence * BINS), BINS - 1)] += confidence - is_right
    return sum(map(abs, gaps)) / len(confidences)
