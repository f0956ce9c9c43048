"""The golden tests have teeth: each wrong implementation is made on purpose and noticed.

The mistakes are those of `mutation_power.json`. Each is looked at through the very comparison, with
the very tolerance, that the test named in its docstring makes.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from devtools.network import load_network
from emotion_llama_vllm.checkpoint.convert import convert
from emotion_llama_vllm.checkpoint.vision import interpolate_positions
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.logits_processor import GeneratedRepetitionPenalty
from emotion_llama_vllm.original import PENALTY_FIELD
from tests.golden.test_network import TOLERANCE, embed
from tests.support.golden.original import ANSWERED, CASES, ORIGINALS, RUNS, Case
from tests.support.golden.reference import Reference, relative_error

CASE = CASES[7]
"""With all three feature rows given."""


@pytest.fixture(scope="module")
def network(converted: Path) -> Any:
    return load_network(converted, "float32")


@pytest.fixture(autouse=True)
def _no_gradients() -> Any:
    with torch.inference_mode():
        yield


def swap_rows(network: Any) -> None:
    first, third = network.feats_llama_proj1, network.feats_llama_proj3
    network.feats_llama_proj1, network.feats_llama_proj3 = third, first


def group_two_by_two(network: Any) -> None:
    width = network.config.vision.hidden_size
    plain = network.llama_proj

    def project(groups: torch.Tensor) -> torch.Tensor:
        count = groups.shape[1] * 4
        side = round(count**0.5)
        tokens = groups.reshape(-1, side // 2, 2, side // 2, 2, width)
        return plain(tokens.permute(0, 1, 3, 2, 4, 5).reshape(groups.shape))

    network.llama_proj = _Function(project)


class _Function(torch.nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.forward = function


def skip_ln_vision(network: Any) -> None:
    network.vision_tower.ln_vision = torch.nn.Identity()


def stretch_positions_linearly(network: Any) -> None:
    file: Any = torch.load(ORIGINALS.eva, weights_only=True)
    positions = file["pos_embed"].float()
    grid = positions[:, 1:].reshape(1, 16, 16, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(32, 32), mode="bilinear", align_corners=False)
    patches = grid.permute(0, 2, 3, 1).flatten(1, 2)
    network.vision_tower.pos_embed.data = torch.cat([positions[:, :1], patches], 1)


def drop_q_bias(network: Any) -> None:
    for block in network.vision_tower.blocks:
        block.attn.qkv.bias.data[: network.config.vision.hidden_size] = 0


def widen_layer_norms(network: Any) -> None:
    for block in network.vision_tower.blocks:
        block.norm1.eps = block.norm2.eps = 1e-5


def put_the_cls_token_first(network: Any) -> None:
    plain = network._project

    def project(*args: torch.Tensor) -> torch.Tensor:
        return plain(*args).roll(1, dims=1)

    network._project = project


MISTAKES = [
    swap_rows,
    group_two_by_two,
    skip_ln_vision,
    stretch_positions_linearly,
    drop_q_bias,
    widen_layer_norms,
    put_the_cls_token_first,
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_in_the_encoders_is_noticed(
    network: Any, converted: Path, mistake: Callable[[Any], None]
) -> None:
    """By `test_network.py::test_a_clips_embeddings`."""
    config = EmotionLlamaConfig.from_pretrained(converted)
    theirs = torch.from_numpy(CASE.arrays["visual_embeds"])
    right = embed(network, config, CASE, features=CASE.features)
    assert relative_error(right, theirs) <= TOLERANCE
    wrong_network = copy.deepcopy(network)
    mistake(wrong_network)
    wrong = embed(wrong_network, config, CASE, features=CASE.features)
    assert relative_error(wrong, theirs) > 2 * TOLERANCE


def test_a_single_beginning_token_is_noticed(golden_tokenizer: PreTrainedTokenizerFast) -> None:
    """By `test_tokens.py::test_every_segment_has_the_originals_ids`."""
    template = golden_tokenizer.chat_template
    assert isinstance(template, str)
    wrong = template.replace('{{- "<s>" -}}', "")
    assert wrong != template
    prompt = golden_tokenizer.apply_chat_template(
        CASE.messages("greedy", {"type": "video"}), chat_template=wrong, tokenize=False
    )
    ids = golden_tokenizer.encode(str(prompt), add_special_tokens=False)
    assert ids != CASE.prompt_ids("greedy", clip=0, count=1)


@pytest.mark.parametrize("alpha", [0, 32])
def test_a_lora_left_out_or_doubled_is_noticed(
    plain: Reference, tmp_path: Path, alpha: float
) -> None:
    """By `test_golden_answers.py::test_the_first_steps_log_probabilities_are_the_originals`."""
    convert(ORIGINALS, tmp_path / "wrong", dtype=torch.float32, lora_alpha=alpha)
    wrong = Reference(tmp_path / "wrong")
    assert first_step_error(plain, CASE) <= 5e-3
    assert max(first_step_error(wrong, case) for case in CASES[7:12]) > 5e-3


def first_step_error(model: Reference, case: Case) -> float:
    theirs = torch.from_numpy(case.arrays["last_logits"].reshape(-1)).log_softmax(-1)
    clip = torch.from_numpy(case.arrays["visual_embeds"])
    prompt = case.prompt_ids("greedy", clip=0, count=len(clip))
    ours = model.logits(prompt, [0], clip)[0].log_softmax(-1)
    return float((ours - theirs).abs().max())


def test_a_penalty_over_the_prompt_is_noticed(plain: Reference) -> None:
    """By `test_golden_answers.py::test_greedy_ids_are_the_originals`."""
    cases = ANSWERED[:6]
    right = [most_likely(plain, case, over_prompt=False) for case in cases]
    wrong = [most_likely(plain, case, over_prompt=True) for case in cases]
    expected = [case.runs["greedy_rp105"]["generated_ids"] for case in cases]
    assert right == expected
    assert wrong != expected


def most_likely(model: Reference, case: Case, *, over_prompt: bool) -> list[int]:
    """Return the reference's token with our penalty after each beginning of the answer.

    Greedy generation says the same answer if and only if these are its tokens.
    """
    clip = torch.from_numpy(case.arrays["visual_embeds"])
    prompt = case.prompt_ids("greedy_rp105", clip=0, count=len(clip))
    answer = case.runs["greedy_rp105"]["generated_ids"]
    seen: list[int] = list(prompt) if over_prompt else []
    processor = penalty(seen)
    ids: list[int] = []
    for token, logits in zip(answer, model.logits(prompt, answer, clip), strict=True):
        ids.append(int(processor.apply(logits[None].clone())[0].argmax()))
        seen.append(token)
    return ids


def penalty(seen: list[int]) -> GeneratedRepetitionPenalty:
    config: Any = SimpleNamespace(
        model_config=SimpleNamespace(hf_text_config=SimpleNamespace(bos_token_id=1))
    )
    processor = GeneratedRepetitionPenalty(config, torch.device("cpu"), False)
    params = SimpleNamespace(extra_args={PENALTY_FIELD: RUNS["greedy_rp105"]})
    update: Any = SimpleNamespace(removed=[], added=[(0, params, [], seen)], moved=[])
    processor.update_state(update)
    return processor


def test_the_stretched_positions_are_the_originals_and_not_the_files(converted: Path) -> None:
    file: Any = torch.load(ORIGINALS.eva, weights_only=True)
    ours = load_file(converted / "model.safetensors")["vision_tower.pos_embed"]
    assert torch.equal(ours, interpolate_positions(file["pos_embed"], 1024))
    assert torch.equal(ours[:, 0], file["pos_embed"][:, 0].float())
    assert not np.array_equal(ours[:, 1:257], file["pos_embed"][:, 1:].float())
