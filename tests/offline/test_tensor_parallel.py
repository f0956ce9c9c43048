"""Two ranks compute what one does."""

from pathlib import Path

import pytest

from emotion_llama_vllm.config import EmotionLlamaConfig
from tests.offline.jobs import check_against_reference, reference_jobs
from tests.support.offline import answer


@pytest.mark.slow
def test_two_tensor_parallel_ranks_compute_the_same(
    checkpoint: Path, config: EmotionLlamaConfig, tmp_path: Path, user_environment: dict[str, str]
) -> None:
    jobs = reference_jobs(config.feature_size)
    environment = user_environment | {"VLLM_CPU_OMP_THREADS_BIND": "0|1"}  # a core for each rank
    alone, together = answer(checkpoint, jobs, tmp_path, environment, "2")
    check_against_reference(checkpoint, jobs, alone)
    check_against_reference(checkpoint, jobs, together)
