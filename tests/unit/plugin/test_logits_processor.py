"""The penalty over generated tokens, against Hugging Face's own."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate
from vllm.v1.sample.logits_processor.interface import MoveDirectionality

from emotion_llama_vllm.logits_processor import GeneratedRepetitionPenalty
from emotion_llama_vllm.original import PENALTY_FIELD

BOS = 1


@pytest.fixture
def penalty() -> GeneratedRepetitionPenalty:
    config: Any = SimpleNamespace(
        model_config=SimpleNamespace(hf_text_config=SimpleNamespace(bos_token_id=BOS))
    )
    return GeneratedRepetitionPenalty(config, torch.device("cpu"), False)


def params(value: Any) -> SamplingParams:
    return SamplingParams(extra_args={PENALTY_FIELD: value})


def update(**changes: Any) -> BatchUpdate:
    fields: dict[str, Any] = {"batch_size": 4, "removed": [], "added": [], "moved": []}
    return BatchUpdate(**fields | changes)


@pytest.mark.parametrize("value", [1.05, 1.5, 3, 0.5])
def test_it_equals_hugging_faces_over_one_bos_and_the_generated(
    penalty: GeneratedRepetitionPenalty, value: float
) -> None:
    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(0))
    generated = [5, 7, 5, 2]
    penalty.update_state(update(added=[(0, params(value), [9, 9, 3], generated)]))
    reference: Any = RepetitionPenaltyLogitsProcessor(float(value))
    expected = reference(torch.tensor([[BOS, *generated]]), logits.clone())
    torch.testing.assert_close(penalty.apply(logits), expected, rtol=0, atol=0)


def test_it_sees_tokens_as_they_come_and_skips_unknown_ones(
    penalty: GeneratedRepetitionPenalty,
) -> None:
    generated: list[int] = []
    penalty.update_state(update(added=[(0, params(2.0), [], generated)]))
    assert penalty.apply(torch.ones(1, 6))[0].tolist() == [1, 0.5, 1, 1, 1, 1]
    generated += [4, -1]
    assert penalty.apply(torch.ones(1, 6))[0].tolist() == [1, 0.5, 1, 1, 0.5, 1]


def rows(penalty: GeneratedRepetitionPenalty) -> list[float]:
    """The penalty that each row's BOS gets."""
    return [round(1 / value, 3) for value in penalty.apply(torch.ones(4, 3))[:, BOS].tolist()]


def test_it_follows_requests_through_the_batch(penalty: GeneratedRepetitionPenalty) -> None:
    penalty.update_state(
        update(
            added=[
                (0, params(2.0), [], []),
                (1, SamplingParams(), [], []),
                (2, params(4.0), [], []),
                (3, params(1.0), [], []),
            ]
        )
    )
    assert rows(penalty) == [2, 1, 4, 1]
    penalty.update_state(update(moved=[(0, 1, MoveDirectionality.SWAP)]))
    assert rows(penalty) == [1, 2, 4, 1]
    penalty.update_state(update(removed=[1], moved=[(2, 1, MoveDirectionality.UNIDIRECTIONAL)]))
    assert rows(penalty) == [1, 4, 1, 1]
    penalty.update_state(update(added=[(1, SamplingParams(), [], [])]))
    assert rows(penalty) == [1, 1, 1, 1]
    penalty.update_state(None)


@pytest.mark.parametrize("value", [0, -1, "1.05", True, float("nan"), [1]])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(VLLMValidationError, match="above 0"):
        GeneratedRepetitionPenalty.validate_params(params(value))


def test_none_and_numbers_are_taken() -> None:
    GeneratedRepetitionPenalty.validate_params(SamplingParams())
    GeneratedRepetitionPenalty.validate_params(params(1))
