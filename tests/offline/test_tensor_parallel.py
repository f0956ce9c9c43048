"""Two ranks compute what one does."""

from pathlib import Path

import pytest

from devtools.small_checkpoint import write_random_checkpoint
from emotion_llama_vllm.config import EmotionLlamaConfig
from tests.offline.jobs import check_against_reference, face_jobs, reference_jobs
from tests.support.scripts.offline import answer


@pytest.mark.slow
def test_two_tensor_parallel_ranks_compute_the_same(
    config: EmotionLlamaConfig, tmp_path: Path, user_environment: dict[str, str]
) -> None:
    write_random_checkpoint(tmp_path / "checkpoint", has_faces=True)
    jobs = reference_jobs(config.feature_size) + face_jobs(config.feature_size)[1:]
    environment = user_environment | {"VLLM_CPU_OMP_THREADS_BIND": "0|1"}  # a core for each rank
    alone, together = answer(tmp_path / "checkpoint", jobs, tmp_path, environment, "2")
    check_against_reference(tmp_path / "checkpoint", jobs, alone)
    check_against_reference(tmp_path / "checkpoint", jobs, together)
