"""The golden answers over HTTP: chat completions with `prompt_style` and `return_token_ids`.

The last test ends the server.
"""

import io
import json
import math
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest
import requests
import torch
from transformers import PreTrainedTokenizerFast

from devtools.paths import CHECKOUT
from devtools.server import Server, running_server
from devtools.small_checkpoint import write_random_face_encoders
from emotion_llama_server.routes.legacy import post_process
from emotion_llama_vllm.checkpoint.add_encoders import add_encoders
from emotion_llama_vllm.config import FaceEncoderConfig
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.faces.sampling import FEWEST
from emotion_llama_vllm.settings import MediaSettings
from tests.support.ends import INSIDE, family_of, left_of, wait_for
from tests.support.golden.original import ANSWERED, RUNS, Case

TIMEOUT = 10
"""Seconds that a request may take."""
FACE_CONFIG = FaceEncoderConfig(num_hidden_layers=1, intermediate_size=64)
"""As wide as the golden HuBERT."""
RECORDED = [(case, run) for case in ANSWERED for run in case.runs]


@pytest.fixture(scope="module")
def converted_with_faces(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden set with random face encoders, which no recorded case needs: it gives all rows."""
    folder = tmp_path_factory.mktemp("golden_faces")
    face_mae, video_mae = write_random_face_encoders(folder, config=FACE_CONFIG)
    shutil.copytree(converted, folder / "checkpoint")
    add_encoders(folder / "checkpoint", face_mae=face_mae, video_mae=video_mae)
    return folder / "checkpoint"


@pytest.fixture(scope="module")
def golden_server(
    converted_with_faces: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("golden_server") / "log"
    flags = ["--dtype", "float32", "--enforce-eager", "--max-model-len", "2048"]
    flags += ["--kv-cache-memory-bytes", str(1 << 28), "--served-model-name", "golden"]
    flags += ["--request-timeout", str(TIMEOUT), "--face-frames", str(FEWEST)]
    with running_server(log, str(converted_with_faces), *flags) as started:
        yield started


def clip_part(case: Case) -> dict[str, Any]:
    """The picture and the features, in the container that HTTP takes."""
    data = io.BytesIO()
    picture = np.frombuffer(case.image.read_bytes(), np.uint8)
    np.savez(data, video=picture, features=case.features)
    encoded = pybase64.b64encode(data.getvalue()).decode()
    return {"type": "video_url", "video_url": {"url": f"data:;base64,{encoded}"}}


def post(server: Server, body: dict[str, Any]) -> requests.Response:
    return requests.post(f"{server.url}/v1/chat/completions", json=body, timeout=120)


def ask(server: Server, case: Case, run: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": "golden",
        "messages": case.messages(run, clip_part(case)),
        "chat_template_kwargs": {"prompt_style": case.style},
        "temperature": 0,
        "max_tokens": 32,
        "return_token_ids": True,
        "logprobs": True,
        "top_logprobs": 20,
    }
    if RUNS[run] != 1:
        body["vllm_xargs"] = {"generated_repetition_penalty": RUNS[run]}
    answer = post(server, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("case", "run"), RECORDED, ids=lambda v: getattr(v, "name", v))
def test_the_answer_is_the_originals(golden_server: Server, case: Case, run: str) -> None:
    made = ask(golden_server, case, run)
    choice = made["choices"][0]
    assert made["prompt_token_ids"] == case.prompt_ids(run, clip=0, count=260)
    assert choice["token_ids"] == case.runs[run]["generated_ids"]
    name = "last_logits" if run == "greedy" else "last_logits_rp105"
    theirs = torch.from_numpy(case.arrays[name].reshape(-1)).log_softmax(-1)
    told = choice["logprobs"]["content"][0]
    ours = [told["logprob"], *(other["logprob"] for other in told["top_logprobs"])]
    expected = [theirs.max(), *theirs.sort(descending=True).values[:20]]
    assert ours == pytest.approx([float(value) for value in expected], abs=5e-3)


@pytest.mark.parametrize("case", [c for c in ANSWERED if c.style == "demo"], ids=lambda c: c.name)
def test_the_legacy_routes_cut_answers_as_the_original(
    golden_tokenizer: PreTrainedTokenizerFast, case: Case
) -> None:
    for recorded in case.runs.values():
        said = golden_tokenizer.decode(recorded["generated_ids"], skip_special_tokens=True)
        assert post_process(str(said)) == recorded["text"]


def analyse(server: Server, clip: bytes, **fields: Any) -> dict[str, Any]:
    parts = {"video": clip, "request": (None, json.dumps({"task": "emotion"} | fields))}
    answer = requests.post(f"{server.url}/v1/emotion", files=parts, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer.json()


def logarithms(answer: dict[str, Any]) -> list[float]:
    """Return the log-probabilities of those labels of which float32 has some digits."""
    return [math.log(p) for p in answer["probabilities"].values() if p > 1e-20]


def in_container(**members: Any) -> bytes:
    data = io.BytesIO()
    np.savez(data, **members)
    return data.getvalue()


def test_the_rows_of_the_face_come_from_crops_of_the_clip_itself(golden_server: Server) -> None:
    clip = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()
    made = analyse(golden_server, clip)
    rows = {"FaceMAE": "computed", "VideoMAE": "computed", "audio": "computed"}
    assert made["evidence"]["feature_rows"] == rows
    assert made["evidence"]["face_crops"] == made["evidence"]["faces"]["frames"] == FEWEST
    assert made["warnings"] == []
    settings = MediaSettings(face_frames=FEWEST)
    crops = decode(clip, face_rows=(0, 1), settings=settings).face_crops
    assert crops is not None
    video = np.frombuffer(clip, np.uint8)
    given = analyse(golden_server, in_container(video=video, face_crops=crops))
    assert logarithms(given) == pytest.approx(logarithms(made), abs=1e-3)
    black = analyse(golden_server, in_container(video=video, face_crops=np.zeros_like(crops)))
    assert logarithms(black) != pytest.approx(logarithms(made), abs=0.1)


UPLOAD = b"""POST /v1/emotion HTTP/1.1\r
Host: x\r
Content-Type: multipart/form-data; boundary=b\r
Content-Length: 3000000\r
\r
--b"""


def test_a_request_that_takes_too_long_is_ended(golden_server: Server) -> None:
    address = ("127.0.0.1", golden_server.port)
    with socket.create_connection(address, timeout=TIMEOUT + 10) as connection:
        connection.sendall(UPLOAD)
        answer = connection.recv(65536)
    assert b" 408 " in answer.split(b"\r\n")[0]
    wait_for(golden_server, "emotion_llama_requests_in_flight", 0)


def test_a_second_signal_ends_at_once(golden_server: Server) -> None:
    case = ANSWERED[0]
    messages = case.messages("greedy", clip_part(case))
    body = {"model": "golden", "messages": messages, "ignore_eos": True, "max_tokens": 1500}
    family = family_of(golden_server)
    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(post, golden_server, body)
        wait_for(golden_server, INSIDE, 1)
        os.kill(golden_server.pid, signal.SIGTERM)
        time.sleep(0.5)
        assert golden_server.process.poll() is None
        began = time.monotonic()
        os.kill(golden_server.pid, signal.SIGINT)
        assert inside.result(10).status_code == 503
    assert golden_server.process.wait(15) != 0
    assert time.monotonic() - began < 10
    assert not left_of(family)
