"""Does the real size fit? Random weights at the 7B's dimensions, through converter and server.

    python -m benchmarks.full_size --work DIR

Writes the original's five artefacts with random values (about 17 GB), converts them to bfloat16
(as much again), serves one request on the CPU, and prints what it took as JSON. Needs 40 GB of
disk; what it wrote is removed at the end. The answer is noise: sizes, memory and time are the
point.
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import sentencepiece
import torch
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2

from demo.originals import eva_sizes, lora_shapes, train_tokenizer
from emotion_llama_vllm.checkpoint.layout import (
    audio_shapes,
    language_shapes,
    projection_shapes,
    vision_shapes,
)
from emotion_llama_vllm.config import EmotionLlamaConfig

LORA_RANK = 64
SHARD_TENSORS = 60
PORTS = (17889, 17887)
CONFIG = Path(__file__).parent.parent / "configs" / "emotion-llama-7b-cpu.yaml"
CLIP = Path(__file__).parent.parent / "demo" / "clips" / "happy_face.mp4"


def full_config() -> EmotionLlamaConfig:
    """Llama-2-7b-chat, EVA-ViT-g at 448 pixels, chinese-hubert-large."""
    return EmotionLlamaConfig(
        text_config={"vocab_size": 32_000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5},
        audio_config={
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "conv_bias": True,
            "feat_extract_norm": "layer",
            "do_stable_layer_norm": True,
        },
    )


class Noise:
    """Random tensors, cut from one pool: drawing seven billion numbers would take minutes."""

    def __init__(self) -> None:
        self._pool = torch.randn(1 << 27, generator=torch.Generator().manual_seed(0))
        self._start = 0

    def tensor(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        count = math.prod(shape)
        if self._start + count > len(self._pool):
            self._start = 0
        values = self._pool[self._start : self._start + count]
        if len(values) < count:
            values = values.repeat(math.ceil(count / len(values)))[:count]
        self._start += 997
        scale = math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 100
        return (values / scale).to(dtype).reshape(shape)

    def tensors(
        self, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype
    ) -> dict[str, torch.Tensor]:
        return {name: self.tensor(shape, dtype) for name, shape in shapes.items()}


def write_originals(folder: Path, config: EmotionLlamaConfig) -> None:
    """The five artefacts, as users have them: half precision, the Llama in shards."""
    noise = Noise()
    llama, hubert = folder / "llama", folder / "hubert"
    for place in (llama, hubert):
        place.mkdir(parents=True)
    config.text.save_pretrained(llama)
    config.audio.save_pretrained(hubert)
    (llama / "tokenizer.model").write_bytes(tokenizer(config.text.vocab_size))
    language = list(language_shapes(config.text).items())
    for start in range(0, len(language), SHARD_TENSORS):
        part = dict(language[start : start + SHARD_TENSORS])
        save_file(noise.tensors(part, torch.float16), llama / f"model-{start:05}.safetensors")
    audio = noise.tensors(audio_shapes(config.audio), torch.float32)
    torch.save(audio, hubert / "pytorch_model.bin")
    torch.save(noise.tensors(vision_shapes(config.vision), torch.float16), folder / "eva_vit_g.pth")
    (folder / "eva_config.json").write_text(json.dumps(eva_sizes(config.vision)))
    shapes = lora_shapes(config, LORA_RANK) | projection_shapes(config)
    adapter = noise.tensors(shapes, torch.float32)
    torch.save({"model": adapter}, folder / "Emotion_LLaMA.pth")


def tokenizer(size: int) -> bytes:
    """A `tokenizer.model` of exactly `size` pieces; most of them never occur."""
    model: Any = getattr(sentencepiece_model_pb2, "ModelProto")()  # noqa: B009  (made at run time)
    model.ParseFromString(train_tokenizer(["The person in video says: hello."], size=400))
    for index in range(len(model.pieces), size):
        model.pieces.add(piece=f"\u2581piece{index}", score=-float(index))
    data = model.SerializeToString()
    assert sentencepiece.SentencePieceProcessor(model_proto=data).GetPieceSize() == size  # noqa: S101
    return data


class MemoryWatch:
    """The most memory in use on the machine, in GiB, while it watches."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.peak = max(self.peak, _used_gib())


def _used_gib() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return (kib["MemTotal"] - kib["MemAvailable"]) / 2**20


def run_convert(folder: Path, out: Path) -> dict[str, float]:
    command = [_executable(), "convert", "--dtype", "bfloat16", "--out", str(out)]
    for flag, name in {
        "--llama": "llama",
        "--eva": "eva_vit_g.pth",
        "--hubert": "hubert",
        "--checkpoint": "Emotion_LLaMA.pth",
    }.items():
        command += [flag, str(folder / name)]
    started = time.monotonic()
    with subprocess.Popen(command) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("The conversion failed.")
    return {
        "convert_seconds": round(time.monotonic() - started, 1),
        "convert_peak_rss_gib": round(usage.ru_maxrss / 2**20, 2),
    }


@contextmanager
def server(checkpoint: Path, log: Path) -> Iterator[str]:
    """The server's URL, once it is ready."""
    port, legacy_port = PORTS
    command = [_executable(), "serve", str(checkpoint), "--config", str(CONFIG)]
    command += ["--media-root", str(CLIP.parent), "--port", str(port)]
    command += ["--legacy-port", str(legacy_port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        while "Emotion-LLaMA is ready" not in log.read_text(errors="replace"):
            if process.poll() is not None:
                raise SystemExit(log.read_text(errors="replace")[-3000:])
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def ask(url: str, text: str, tokens: int) -> dict[str, Any]:
    content = [
        {"type": "video_url", "video_url": {"url": CLIP.name}},
        {"type": "text", "text": text},
    ]
    body = {
        "model": "emotion-llama-7b",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": tokens,
        "ignore_eos": True,
    }
    started = time.monotonic()
    answer = httpx2.post(f"{url}/v1/chat/completions", json=body, timeout=600)
    answer.raise_for_status()
    return {"seconds": round(time.monotonic() - started, 1), **answer.json()["usage"]}


def measure(work: Path) -> dict[str, Any]:
    originals, checkpoint = work / "originals", work / "checkpoint"
    write_originals(originals, full_config())
    result: dict[str, Any] = {"memory_before_gib": round(_used_gib(), 2)}
    result |= run_convert(originals, checkpoint)
    size = sum(file.stat().st_size for file in checkpoint.iterdir())
    result["checkpoint_gib"] = round(size / 2**30, 2)
    shutil.rmtree(originals)
    with MemoryWatch() as watch:
        started = time.monotonic()
        with server(checkpoint, work / "log") as url:
            result["ready_seconds"] = round(time.monotonic() - started, 1)
            result["first"] = ask(url, "[emotion] Which emotion is this?", 8)
            result["second_question"] = ask(url, "[reason] Why?", 8)
    result["serve_peak_memory_in_use_gib"] = round(watch.peak, 2)
    return result


def _executable() -> str:
    return str(Path(sys.executable).with_name("emotion-llama"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    work: Path = parser.parse_args().work
    work.mkdir(parents=True)
    try:
        print(json.dumps(measure(work), indent=2))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
