"""How good labels and confidences are, as papers on emotion recognition report it."""

from collections.abc import Sequence

from pydantic import BaseModel

BINS = 10


class Metrics(BaseModel):
    """All between 0 and 1."""

    accuracy: float
    weighted_f1: float
    """F1 of each label, weighted by how often it is true."""
    uar: float
    """Unweighted average recall: the mean of the labels' recalls."""
    war: float
    """Weighted average recall, which is the accuracy."""
    calibration_error: float
    """Expected calibration error of the confidences, in 10 equal bins."""


def confusion(labels: Sequence[str], true: Sequence[str], told: Sequence[str]) -> list[list[int]]:
    """Counts by true label (rows) and told label (columns)."""
    counts = [[0] * len(labels) for _ in labels]
    for one, other in zip(true, told, strict=True):
        counts[labels.index(one)][labels.index(other)] += 1
    return counts


def measure(
    counts: Sequence[Sequence[int]], confidences: Sequence[float], right: Sequence[bool]
) -> Metrics:
    """The metrics of a confusion matrix and of the confidences of its answers."""
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
    """Mean distance of confidence and accuracy in equal bins, weighted by how much is in each."""
    gaps = [0.0] * BINS
    for confidence, is_right in zip(confidences, right, strict=True):
        gaps[min(int(confidence * BINS), BINS - 1)] += confidence - is_right
    return sum(map(abs, gaps)) / len(confidences)
