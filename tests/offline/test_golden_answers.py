"""`vllm.LLM` on the converted golden set says what the original said, token by token.

One engine answers everything here: the golden cases with and without the penalty, and clips that
the plain reference checks.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.offline.jobs import check_against_reference, reference_jobs
from tests.support.golden.original import CASES, RUNS, TRUNCATED, Case
from tests.support.scripts.offline import Answer, Job, answer

NEW_TOKENS = 32
FIRST_STEP_TOLERANCE = 5e-3
RECORDED = [(case, run) for case in CASES if case.name not in TRUNCATED for run in case.runs]


def golden_jobs() -> Iterator[Job]:
    for case, run in RECORDED:
        # As token ids, so that also the case with typed special tokens can be repeated.
        prompt = case.prompt_ids(run, clip=0, count=1)
        metadata = {"features": case.features}
        if case.waveform is not None:
            metadata = {"waveform": case.waveform}
        yield Job(prompt, case.frames, metadata, NEW_TOKENS, RUNS[run])


Answers = dict[str, list[Answer]]


@pytest.fixture(scope="module")
def answers(
    converted: Path,
    tmp_path_factory: pytest.TempPathFactory,
    user_environment: dict[str, str],
) -> Answers:
    jobs = [*golden_jobs(), *reference_jobs(feature_size=1024)]
    folder = tmp_path_factory.mktemp("offline")
    # With the engine in the script's process, vLLM is imported once.
    environment = user_environment | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    alone, together = answer(converted, jobs, folder, environment)
    return {"alone": alone, "together": together}


@pytest.mark.parametrize("way", ["alone", "together"])
@pytest.mark.parametrize("index", range(len(RECORDED)), ids=lambda i: f"{RECORDED[i][0].name}-{i}")
def test_greedy_ids_are_the_originals(answers: Answers, index: int, way: str) -> None:
    case, run = RECORDED[index]
    assert answers[way][index].ids == case.runs[run]["generated_ids"]


@pytest.mark.parametrize("way", ["alone", "together"])
@pytest.mark.parametrize("index", range(len(RECORDED)), ids=lambda i: f"{RECORDED[i][0].name}-{i}")
def test_the_first_steps_log_probabilities_are_the_originals(
    answers: Answers, index: int, way: str
) -> None:
    case, run = RECORDED[index]
    theirs = torch.from_numpy(last_logits(case, run)).log_softmax(-1)
    said = answers[way][index].first_step
    ours = torch.tensor([said[token] for token in range(len(theirs))])
    assert (ours - theirs).abs().max() <= FIRST_STEP_TOLERANCE


def last_logits(case: Case, run: str) -> np.ndarray:
    name = "last_logits" if run == "greedy" else "last_logits_rp105"
    return case.arrays[name].reshape(-1)


@pytest.mark.parametrize("way", ["alone", "together"])
def test_decoded_clips_compute_what_the_reference_computes(
    converted: Path,
    answers: Answers,
    way: str,
) -> None:
    jobs = reference_jobs(feature_size=1024)
    check_against_reference(converted, jobs, answers[way][len(RECORDED) :])
