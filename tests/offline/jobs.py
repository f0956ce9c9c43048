"""Requests whose answers the plain reference can check."""

from pathlib import Path

import numpy as np
import torch

from devtools.media import picture, tone
from tests.support.golden.reference import Reference
from tests.support.scripts.offline import Answer, Job

TEXT = "<s>[INST] <video><unk></video> <feature><FeatureHere></feature> why?  [/INST]"
TOLERANCE = 1e-4


def reference_jobs(feature_size: int) -> list[Job]:
    """Clips that share a frame and differ in sound or features, and one that does not."""
    frame = picture(90, 70)[None]
    features = np.random.default_rng(0).standard_normal((3, feature_size)).astype(np.float32)
    some = features.copy()
    some[[0, 2]] = np.nan
    sound = tone(1.0, 16_000, 1, 300)[0]
    return [
        Job(TEXT, frame),
        Job(TEXT, frame, {"waveform": sound}),
        Job(TEXT, frame, {"waveform": tone(0.7, 16_000, 1, 500)[0]}),
        Job(TEXT, frame, {"waveform": sound, "features": features}),
        Job(TEXT, frame, {"waveform": sound, "features": some}),
        Job(TEXT, picture(50, 90, seed=2)[None], {"waveform": sound}),
    ]


def face_jobs(feature_size: int) -> list[Job]:
    """Clips that differ in their face crops, and in the rows that are given beside them."""
    frame = picture(90, 70)[None]
    crops = np.stack([picture(112, 112, seed=seed) for seed in range(12)])
    given = np.full((3, feature_size), np.nan, np.float32)
    given[0] = 0.5
    return [
        Job(TEXT, frame),
        Job(TEXT, frame, {"face_crops": crops}),
        Job(TEXT, frame, {"face_crops": crops[:1]}),
        Job(TEXT, frame, {"face_crops": crops[::-1].copy()}),
        Job(TEXT, frame, {"face_crops": crops, "features": given}),
        Job(TEXT, frame, {"features": given}),
    ]


def check_against_reference(checkpoint: Path, jobs: list[Job], answers: list[Answer]) -> None:
    """Every log-probability is the reference's, and no clip was answered as another."""
    reference = Reference(checkpoint)
    for job, answer in zip(jobs, answers, strict=True):
        clip = reference.embed(job.frames[0], **{"waveform": None, **job.metadata})
        theirs = reference.log_probabilities(answer.prompt_ids, answer.ids, clip)
        ours = torch.tensor(answer.log_probabilities)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)
    assert len({round(answer.log_probabilities[0], 4) for answer in answers}) == len(jobs)
