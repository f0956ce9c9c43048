"""The commands about checkpoints, run as a user runs them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from devtools.media import write_clip
from emotion_llama_server.cli import app
from emotion_llama_vllm.hooks.cpu_defaults import weight_bytes
from emotion_llama_vllm.verify import VerifyError, verify
from tests.support.golden.faces import VIDEO_MAE
from tests.support.golden.original import ORIGINALS


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("emotion-llama")), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def invoke(*words: str) -> Result:
    """Run a command in this process, which has imported PyTorch already."""
    return CliRunner().invoke(app, list(words))


def convert_words(out: Path, **changed: str) -> list[str]:
    given = {
        "llama": str(ORIGINALS.llama),
        "eva": str(ORIGINALS.eva),
        "hubert": str(ORIGINALS.hubert),
        "checkpoint": str(ORIGINALS.checkpoint),
        **changed,
    }
    flags = [word for name, value in given.items() for word in (f"--{name}", value)]
    return ["convert", *flags, "--out", str(out)]


@pytest.mark.costly
def test_convert_and_doctor(tmp_path: Path) -> None:
    out = tmp_path / "checkpoint"
    done = invoke(*convert_words(out))
    assert done.exit_code == 0, done.stderr
    assert "260 embeddings per clip, LoRA of rank 8 merged" in done.stdout
    assert "Not used from --eva: blocks.3.attn.proj.bias" in done.stdout
    examined = invoke("doctor", str(out))
    assert examined.exit_code == 0, examined.stdout
    with (out / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    examined = invoke("doctor", str(out))
    assert examined.exit_code == 1
    assert "not ok" in examined.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--gpu", "12GB"], 0, "it fits into 12 GB by our arithmetic"),
        (["--gpu", "1GB"], 1, "it does not fit into 1 GB"),
        (["--gpu", "large"], 2, "doctor: --gpu: large is no size of a GPU"),
    ],
)
def test_the_doctor_examines_a_gpu_that_is_elsewhere(
    checkpoint: Path, words: list[str], code: int, told: str
) -> None:
    done = invoke("doctor", str(checkpoint), *words)
    assert done.exit_code == code
    assert told in " ".join(done.output.split())


def test_a_gpu_without_a_checkpoint_is_refused() -> None:
    done = invoke("doctor", "--gpu", "12GB")
    assert done.exit_code == 2
    assert "needs a checkpoint folder" in done.stderr


def test_quantize_writes_a_smaller_copy(checkpoint: Path, tmp_path: Path) -> None:
    words = ("quantize", str(checkpoint), "--out", str(tmp_path / "small"), "--scheme")
    done = invoke(*words, "w4a16")
    assert done.exit_code == 0, done.stderr
    assert f"Serve it with: emotion-llama serve {tmp_path / 'small'}" in done.stdout
    assert weight_bytes(tmp_path / "small") < weight_bytes(checkpoint)
    again = invoke(*words, "w4a16")
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"checkpoint": str(ORIGINALS.eva)}, "it looks like the EVA file"),
        ({"llama": "/no/such/folder"}, "/no/such/folder"),
        ({"eva": "missing.pth"}, "missing.pth"),
    ],
)
def test_convert_tells_a_wrong_file_in_one_line(
    tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    done = invoke(*convert_words(tmp_path / "out", **changed))
    assert done.exit_code == 2
    (line,) = done.stderr.strip().splitlines()
    assert words in line
    assert not (tmp_path / "out").exists()


def test_add_encoders_and_doctor(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    done = invoke("add-encoders", str(folder), "--video-mae", str(VIDEO_MAE))
    assert done.exit_code == 0, done.stderr
    assert "Not used from --video-mae: decoder.blocks.0" in done.stdout
    assert done.stdout.endswith("computes from face crops now: VideoMAE.\n")
    examined = invoke("doctor", str(folder))
    assert examined.exit_code == 0, examined.stdout
    assert "VideoMAE from face crops; FaceMAE" in " ".join(examined.stdout.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a file with --face-mae"),
        (["--face-mae", "missing.pth"], "missing.pth"),
        (["--face-mae", str(VIDEO_MAE)], "which goes to --video-mae"),
    ],
)
def test_add_encoders_tells_what_is_wrong(
    checkpoint: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    done = invoke("add-encoders", str(folder), *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "Invalid JSON"),
        ('{"cases": []}', "at least 1"),
        ('{"cases": [{"name": "x"}]}', "cases.0.clip"),
        ('{"cases": [{"name": "x", "clip": "no.mp4", "text": "", "expected": ""}]}', "no.mp4"),
    ],
)
def test_verify_tells_what_is_wrong_with_the_file(tmp_path: Path, content: str, words: str) -> None:
    golden = tmp_path / "golden.json"
    golden.write_text(content)
    with pytest.raises(VerifyError, match=words):
        verify(tmp_path, golden, dtype="float32")


@pytest.mark.slow
def test_verify_compares_answers(checkpoint: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4")
    np.save(tmp_path / "features.npy", np.ones((3, 64), np.float32))
    cases = [
        {"name": "one", "clip": "clip.mp4", "text": "why?", "expected": "wrong", "max_tokens": 5},
        {
            "name": "two",
            "clip": "clip.mp4",
            "text": "why?",
            "expected": "wrong",
            "max_tokens": 5,
            "prompt_style": "demo",
            "features": "features.npy",
        },
    ]
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps({"cases": cases}))
    answers = verify(checkpoint, golden, dtype="float32")
    assert [answer.same for answer in answers] == [False, False]
    for case, answer in zip(cases, answers, strict=True):
        case["expected"] = answer.ours
    golden.write_text(json.dumps({"cases": cases}))
    assert run("verify", str(checkpoint), "--golden", str(golden)).returncode == 0
