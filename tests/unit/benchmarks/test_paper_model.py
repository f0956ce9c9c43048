"""The arithmetic of `benchmarks.paper.paper_model`, against counts that others make."""

import json
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import HubertModel, LlamaForCausalLM

from benchmarks.paper.calibration import Calibration, calibrate
from benchmarks.paper.data_sheets import GPUS
from benchmarks.paper.paper_model import (
    Measured,
    Workload,
    check,
    live_requests,
    predict,
    verdict,
)
from benchmarks.paper.roofline import (
    Speed,
    Work,
    hearing,
    reading,
    seeing,
    writing,
)
from devtools.random_checkpoint import full_config, midsize_config, parameters
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import Footprint, cached_per_token

FULL = full_config()
SPEED = Speed(flops=1e12, float32_flops=5e11, bandwidth=1e11, overlaps=True)
ONCE = Workload()


def counted_flops(make: Callable[[], nn.Module], *inputs: torch.Tensor) -> int:
    """What torch counts; nothing is computed."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        make().eval()(*(tensor.to("meta") for tensor in inputs))
    return counter.get_total_flops()


@pytest.mark.parametrize("config", [FULL, midsize_config()], ids=["full", "midsize"])
@pytest.mark.costly
def test_hubert_is_what_torch_counts(config: EmotionLlamaConfig) -> None:
    sound = torch.empty(1, 6 * 16_000, device="meta")
    work = hearing(config, 6)
    counted = counted_flops(lambda: HubertModel(config.audio), sound)
    assert work.flops == pytest.approx(counted, rel=1e-3)
    assert work.weights == pytest.approx(parameters(config)["hubert"], rel=0.01)


def test_the_llama_costs_two_operations_a_weight_and_token() -> None:
    tokens = ONCE.prompt_tokens(FULL)
    work = reading(FULL, tokens)
    assert tokens == 310
    assert work.flops == pytest.approx(2 * parameters(FULL)["llama"] * tokens, rel=0.05)
    counted = counted_flops(
        lambda: LlamaForCausalLM(FULL.text), torch.zeros(1, tokens, dtype=torch.long)
    )
    logits_of_others = 2 * (tokens - 1) * FULL.text.vocab_size * FULL.text.hidden_size
    assert work.flops == pytest.approx(counted - logits_of_others, rel=0.01)


def test_the_vit_costs_two_operations_a_weight_and_token_and_its_attention() -> None:
    work, counts = seeing(FULL), parameters(FULL)
    products = 2 * counts["vision"] * 1025 + 2 * counts["projections"] * 1025 / 4
    attention = 39 * 2 * (2 * 1025 * 1025 * 1408)
    assert work.flops == pytest.approx(products + attention, rel=0.01)
    assert work.weights == pytest.approx(counts["vision"] + counts["projections"], rel=0.01)


def test_a_token_of_llama_2_7b_leaves_half_a_mebibyte() -> None:
    assert cached_per_token(FULL) * SPEED.kv_bytes == 512 * 2**10


def test_reading_in_two_parts_costs_what_reading_at_once_does() -> None:
    whole, first, rest = reading(FULL, 310), reading(FULL, 260), reading(FULL, 50, before=260)
    head = 2 * FULL.text.vocab_size * FULL.text.hidden_size
    assert first.flops + rest.flops - head == pytest.approx(whole.flops, rel=1e-12)
    assert rest.cached == 260 * cached_per_token(FULL)


def test_a_step_fetches_the_weights_once_and_every_requests_cache() -> None:
    one, many = writing(FULL, 1, 400), writing(FULL, 16, 400)
    assert many.weights == one.weights
    assert many.cached == 16 * one.cached
    assert many.flops == 16 * one.flops


def test_times_overlap_or_add_up() -> None:
    work = Work(flops=2e12, weights=5e10, cached=1e11)
    serial = SPEED.model_copy(update={"overlaps": False})
    assert SPEED.seconds(work) == pytest.approx(3)  # 3e11 bytes
    assert serial.seconds(work) == pytest.approx(2 + 3)
    assert serial.float32_seconds(Work(flops=2e12, weights=5e10)) == pytest.approx(4 + 2)


def test_a_batch_shares_its_steps_and_nothing_else() -> None:
    alone, together = (predict(FULL, SPEED, ONCE, batch) for batch in (1, 16))
    assert together.terms.vision == alone.terms.vision
    assert together.terms.prefill == alone.terms.prefill
    assert alone.terms.decode / 16 < together.terms.decode < alone.terms.decode / 4
    assert together.output_tokens_per_second == pytest.approx(128 * together.requests_per_second)
    assert alone.seconds_per_request == pytest.approx(alone.terms.all)


def test_further_questions_neither_see_nor_hear_again() -> None:
    once = predict(FULL, SPEED, ONCE, 1).terms
    four = predict(FULL, SPEED, Workload(questions_per_clip=4), 1).terms
    assert four.vision == pytest.approx(once.vision / 4)
    assert four.hearing == pytest.approx(once.hearing / 4)
    assert once.prefill / 4 < four.prefill < once.prefill
    assert four.decode == once.decode


def test_weights_are_nearly_16_gibibytes() -> None:
    assert 15.5 < Footprint(FULL).weights() / 2**30 < 16


def test_what_does_not_hold_the_weights_serves_nobody() -> None:
    small = GPUS[0].model_copy(update={"gibibytes": 16})
    assert live_requests(FULL, small, ONCE, audio_seconds=1) == 0
    assert verdict(FULL, small, ONCE) == "Not servable: 15.6 GiB of weights in 14.7 GiB."


def test_memory_beside_the_weights_is_shared_by_sounds_and_requests() -> None:
    gpu = GPUS[0].model_copy(update={"gibibytes": 80})
    short, long = (live_requests(FULL, gpu, ONCE, seconds) for seconds in (0, 120))
    free = 80 * 2**30 * 0.92 - Footprint(FULL).weights()
    assert short == int(free / ((310 + 128) * 512 * 2**10))
    assert 0 < long < short


def test_the_check_tells_predicted_over_measured() -> None:
    calibration = Calibration(
        dtype="bfloat16", threads=2, matmul_gflops=100, float32_gflops=50, bandwidth_gb_s=10
    )

    def measured(seconds: dict[str, float]) -> Measured:
        found = {"calibration": calibration.model_dump(), "new_tokens": 128, "rounds": 3}
        return Measured.model_validate_json(json.dumps(found | {"seconds_per_request": seconds}))

    rows = check(measured({"a": 9, "server_one_by_one": 2, "server": 1, "server_4_questions": 1}))
    alone, together, four = (row["seconds_per_request"] for row in rows.values())
    assert alone > together > four
    ratios = [row["predicted_over_measured"] for row in rows.values()]
    assert ratios == pytest.approx([alone / 2, together, four], abs=1e-3)
    assert list(check(measured({"server": together}))) == ["server"]


def test_calibration_reaches_something() -> None:
    found = calibrate(torch.float32, seconds=0.01)
    assert found.dtype == "float32"
    assert min(found.matmul_gflops, found.float32_gflops, found.bandwidth_gb_s) > 0.01
