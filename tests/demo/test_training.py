"""What is trained is what is served, and a training can be interrupted."""

import json
import multiprocessing.dummy
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import HubertModel, LlamaForCausalLM, PreTrainedTokenizerFast

from demo import train
from demo.chance import stream
from demo.clip import clip_row
from demo.labels import LABELS
from demo.recipe import numbered, recipe
from demo.training import clips, encoded, encoders, faces, language, loop
from demo.training.clips import cut
from demo.training.eva import EvaViT
from demo.training.examples import draw_example
from demo.training.mae import VIDEO_PATCHES, FaceMae, VideoMae
from demo.training.originals import joined_biases, write_face_encoders
from demo.training.prompt import answer_ids, prompt_ids
from demo.training.speaker import LORA_ALPHA, Speaker, add_lora, take_lora
from emotion_llama_vllm.checkpoint.doctor import examine_checkpoint
from emotion_llama_vllm.checkpoint.face_encoders import KINDS, FaceEncoder, Kind
from emotion_llama_vllm.checkpoint.served import read_served
from emotion_llama_vllm.config import FACE_PATCHES, EmotionLlamaConfig, FaceEncoderConfig
from emotion_llama_vllm.media.faces.sampling import VIDEO_FRAMES, video_frames
from emotion_llama_vllm.model.faces import enlarge
from tests.support.golden.faces import CASES, FACE_MAE, VIDEO_MAE, FaceCase
from tests.support.golden.reference import Reference, relative_error


@pytest.fixture(scope="module")
def reference(checkpoint: Path) -> Reference:
    return Reference(checkpoint)


def with_weights(network: type[torch.nn.Module], kind: Kind, file: Path) -> torch.nn.Module:
    opened = FaceEncoder(kind, file, 64)
    tensors = {name.removeprefix(kind.part): tensor for name, tensor in opened.tensors()}
    for name in [name for name in tensors if name.endswith("qkv.bias")]:
        # The bias of k adds the same to all of a query's scores, so it changes nothing.
        query, _, value = tensors.pop(name).chunk(3)
        tensors |= {name.replace("qkv.bias", "q_bias"): query}
        tensors |= {name.replace("qkv.bias", "v_bias"): value}
    made = network(opened.config).eval()
    made.load_state_dict(tensors)
    return made


def trained_network(reference: Reference) -> tuple[EvaViT, HubertModel, Speaker]:
    """The networks that are trained, with the weights of a checkpoint folder."""
    config, tensors = reference.config, reference.tensors

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    eva, speaker = EvaViT(config.vision).eval(), Speaker(config).eval()
    seen = {n: t for n, t in part("vision_tower.").items() if not n.startswith("ln_vision")}
    eva.load_state_dict(seen)
    speaker.llama.load_state_dict(part("language_model."))
    speaker.projections.load_state_dict({n: t for n, t in tensors.items() if "llama_proj" in n})
    return eva, reference.hubert, speaker


@torch.inference_mode()
def test_the_trained_network_computes_what_is_served(
    reference: Reference, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Picture, sound, projections and Llama, against the plain reference of the served model."""
    eva, hubert, speaker = trained_network(reference)
    rng = np.random.default_rng(0)
    size = reference.config.vision.image_size
    frame = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    sound = rng.standard_normal(24_000).astype(np.float32)
    image = eva(torch.from_numpy(frame).permute(2, 0, 1)[None])
    torch.testing.assert_close(image[0], reference.see(frame), rtol=1e-4, atol=1e-4)
    heard = hubert(torch.from_numpy(cut(sound, 0, len(sound)))[None]).last_hidden_state.mean(1)
    content = [{"type": "video"}, {"type": "text", "text": "[emotion] Which emotion?"}]
    messages = [{"role": "user", "content": content}]
    prompt = prompt_ids(messages, "eval", tokenizer, reference.config)
    answer = answer_ids("happy", tokenizer)
    rows = torch.cat([torch.zeros(1, 2, heard.shape[-1]), heard[None]], 1)
    hidden = speaker(torch.tensor([prompt + answer]), image, rows)
    logits = speaker.llama.lm_head(hidden[0, len(prompt) - 1 : -1]).log_softmax(-1)
    ours = logits.gather(1, torch.tensor(answer)[:, None])[:, 0]
    theirs = reference.log_probabilities(prompt, answer, reference.embed(frame, sound))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_loop_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 2)

    def run(folder: Path, fail_at: int | None) -> tuple[torch.Tensor, list[float]]:
        torch.manual_seed(0)
        module = torch.nn.Linear(4, 1)
        drawn = []

        def loss_at(rng: np.random.Generator) -> torch.Tensor:
            drawn.append(1)
            if len(drawn) == fail_at:
                raise KeyboardInterrupt
            return module(torch.from_numpy(rng.standard_normal((8, 4))).float()).square().mean()

        losses = loop.train(loop.Stage("stage", 9, 0.1, folder, seed=1), module, loss_at)
        return module.weight.detach(), losses

    whole = run(tmp_path / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 6)
    resumed = run(tmp_path / "parts", None)
    assert torch.equal(whole[0], resumed[0])
    assert whole[1] == resumed[1]
    assert len(whole[1]) == 9


def test_a_lora_leaves_the_llama_alone_and_adds_up(config: EmotionLlamaConfig) -> None:
    torch.manual_seed(0)
    speaker = Speaker(config)
    before = {name: tensor.clone() for name, tensor in speaker.llama.state_dict().items()}
    add_lora(speaker)
    for parameter in speaker.llama.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    ids = torch.tensor([[1, 5, 9, 300]])
    with torch.inference_mode():
        changed = speaker.llama.model(input_ids=ids).last_hidden_state
    lora = take_lora(speaker)
    assert {name: t.tolist() for name, t in speaker.llama.state_dict().items()} == {
        name: t.tolist() for name, t in before.items()
    }
    merged = LlamaForCausalLM(config.text).eval()
    merged.load_state_dict(before)
    for name, up in lora.items():
        if ".lora_B." in name:
            target = name.removeprefix("llama_model.base_model.model.").split(".lora_B")[0]
            down = lora[name.replace("lora_B", "lora_A")]
            merged.get_parameter(f"{target}.weight").data += LORA_ALPHA / len(down) * up @ down
    with torch.inference_mode():
        torch.testing.assert_close(merged.model(input_ids=ids).last_hidden_state, changed)


@torch.inference_mode()
@pytest.mark.parametrize("case", [CASES[0], CASES[-1]], ids=lambda case: case.name)
def test_the_face_encoders_compute_what_the_originals_do(case: FaceCase) -> None:
    """With the original's weights and crops they give its numbers, also if all patches are
    chosen."""
    crops = torch.from_numpy(case.crops)
    face_mae = with_weights(FaceMae, KINDS[0], FACE_MAE)
    video_mae = with_weights(VideoMae, KINDS[1], VIDEO_MAE)
    for kept in (None, torch.arange(FACE_PATCHES)):
        row = face_mae(crops, kept).mean(0)
        assert relative_error(row, torch.from_numpy(case.arrays["face_utt"])) < 1e-5
    for kept in (None, torch.arange(VIDEO_PATCHES)):
        row = video_mae(crops[None, video_frames(len(crops))], kept)[0]
        assert relative_error(row, torch.from_numpy(case.arrays["video_utt"])) < 1e-5


@torch.inference_mode()
def test_the_face_encoders_are_written_as_the_originals_are(tmp_path: Path) -> None:
    """What the files hold computes what was trained, with the biases of q and v in their places."""
    torch.manual_seed(0)
    config = FaceEncoderConfig(
        hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    trained = FaceMae(config).eval(), VideoMae(config).eval()
    for network in trained:
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    face_mae, video_mae = (network.state_dict() for network in trained)
    files = write_face_encoders(
        tmp_path, config, face_mae=joined_biases(face_mae), video_mae=video_mae
    )
    inputs = CASES[0].crops[[0]], CASES[0].crops[None, [0] * VIDEO_FRAMES]
    for network, kind, file, crops in zip(trained, KINDS, files, inputs, strict=True):
        written = with_weights(type(network), kind, file)
        pixels = torch.from_numpy(crops)
        assert torch.equal(written(pixels), network(pixels))


def test_the_encoder_of_a_clip_starts_with_what_that_of_single_crops_makes_of_them() -> None:
    config = FaceEncoderConfig(num_hidden_layers=1, hidden_size=64, intermediate_size=64)
    faces, videos = FaceMae(config), VideoMae(config)
    videos.start_from(faces)
    crop = torch.randint(256, (1, 112, 112, 3), dtype=torch.uint8)
    video = crop.expand(VIDEO_FRAMES, -1, -1, -1)[None]
    of_crop = faces.patch_embed["proj"](enlarge(crop))
    of_video = videos.patch_embed["proj"](enlarge(video).transpose(1, 2))
    assert torch.allclose(of_video, of_crop[:, :, None].expand_as(of_video), atol=1e-4)
    patches = torch.randn(1, 9, config.hidden_size)
    assert torch.equal(videos.blocks[0](patches), faces.blocks[0](patches))


def test_an_encoder_learns_an_expression_only_where_it_is_clear() -> None:
    """In between, neither neutral nor the expression would be right."""
    rows = [
        clip_row(recipe(f"{label}_apex", label, "apex", "train")) for label in ("sad", "neutral")
    ]
    strengths = np.array([[0, 0.5, 1]] * 2, np.float32)
    empty, cropped = np.zeros(0), np.arange(2)
    made = clips.Clips(rows, empty, strengths, empty, empty, cropped, empty, strengths)
    sad, neutral = LABELS.index("sad"), LABELS.index("neutral")
    expected = [[neutral, encoders.UNKNOWN, sad], [neutral] * 3]
    assert faces.shown(made).tolist() == expected
    assert encoders.seen(made)["emotion"].tolist() == expected


def test_an_expression_is_only_told_where_it_can_be_seen() -> None:
    """In a neutral moment of the clip, the feature rows of the face tell it, and nothing else."""
    row = clip_row(recipe("happy_apex", "happy", "apex", "train"))

    def answers(*, strength: float, has_face_rows: bool) -> dict[bool, set[str]]:
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for number in range(200):
            example = draw_example(
                row,
                json.loads(row["facts"]),
                stream(number),
                strength=strength,
                has_face_rows=has_face_rows,
            )
            if example.answer in LABELS and example.picture:
                found[example.face_rows].add(example.answer)
        return found

    assert answers(strength=0.0, has_face_rows=False) == {True: set(), False: {"neutral"}}
    assert answers(strength=0.0, has_face_rows=True) == {True: {"happy"}, False: {"neutral"}}
    assert answers(strength=1.0, has_face_rows=True) == {True: {"happy"}, False: {"happy"}}


def test_all_kinds_of_prompts_are_learnt() -> None:
    """With the transcript, with it empty and without; both styles; further turns; both tongues."""
    row = clip_row(numbered("train", 0, 2))
    drawn = [draw_example(row, json.loads(row["facts"]), stream(i)) for i in range(300)]
    firsts = [example.messages[0]["content"][1]["text"] for example in drawn]
    assert row["transcript"]
    assert any(row["transcript"] in text for text in firsts)
    assert any(text.startswith("The person in video says: .  ") for text in firsts)
    assert any(not text.startswith("The person") for text in firsts)
    assert {example.style for example in drawn} == {"eval", "demo"}
    assert {len(example.messages) for example in drawn} == {1, 3}
    assert any("因此" in example.answer for example in drawn)
    assert any(example.answer == row["label"] for example in drawn)
    told = {example.answer for example in drawn if not example.sound and example.picture}
    assert any("no voice" in answer for answer in told)


def test_the_command_makes_a_sound_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training of two steps a stage, through the original's formats and the converter."""
    monkeypatch.setattr(train, "CLIPS", {"train": 12, "val": 5})
    monkeypatch.setattr(train, "STEPS", dict.fromkeys(train.STEPS, 2))
    monkeypatch.setattr(encoders, "PICTURES", 16)
    monkeypatch.setattr(encoders, "SOUNDS_AT_ONCE", 4)
    monkeypatch.setattr(faces, "FACES", 8)
    monkeypatch.setattr(faces, "VIDEOS", 2)
    monkeypatch.setattr(encoded, "BLANKS", 4)
    monkeypatch.setattr(language, "BLANKS", 4)
    monkeypatch.setattr(language, "BATCH", 4)
    # Threads: a process imports vLLM for ten times as long as it reads these clips.
    monkeypatch.setattr(clips, "get_context", lambda method: multiprocessing.dummy)
    train.Training(tmp_path / "work", seed=5).run(tmp_path / "out")
    assert all(finding.ok for finding in examine_checkpoint(tmp_path / "out"))
    assert EmotionLlamaConfig.from_pretrained(tmp_path / "out").face_rows == [0, 1]
    assert read_served("demo", str(tmp_path / "out")).card.description == train.DESCRIPTION
    assert (tmp_path / "work" / "losses.png").stat().st_size > 1000
    assert (tmp_path / "work" / "originals" / "Emotion_LLaMA.pth").is_file()
