"""Starts the measured servers: ours with the mid-size checkpoint, vLLM with its Llama alone."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file, save_file

from devtools.paths import CHECKOUT
from devtools.random_checkpoint import write_midsize
from devtools.server import Server, answers, free_port, running, running_server
from emotion_llama_vllm.checkpoint.layout import LANGUAGE
from emotion_llama_vllm.config import EmotionLlamaConfig

WORK = CHECKOUT / "build" / "bench"
"""The folder of checkpoints and clips, which stays between runs."""
MODEL = "measured"
"""The model name in both servers."""
ENGINE = {
    "enforce_eager": True,
    "max_model_len": 2048,
    "max_num_seqs": 80,
    "kv_cache_memory_bytes": 3 << 30,
}
"""The engine's options; the attention cache has room for all clips of a measurement."""
_FLAGS = (
    *("--served-model-name", MODEL, "--enforce-eager"),
    *("--max-model-len", str(ENGINE["max_model_len"])),
    *("--max-num-seqs", str(ENGINE["max_num_seqs"])),
    *("--kv-cache-memory-bytes", str(ENGINE["kv_cache_memory_bytes"])),
)
"""The flags of all servers."""
_TEXT_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "generation_config.json"),
    "chat_template.jinja",  # vLLM warms it up, although the prompts are token ids
)


def midsize() -> Path:
    """Return the mid-size checkpoint, and make it if it is missing."""
    folder = WORK / "midsize"
    if not folder.is_dir():
        write_midsize(folder)
    return folder


@contextmanager
def midsize_server(clips: Path) -> Iterator[Server]:
    """Run `emotion-llama serve` with the mid-size checkpoint and the media root `clips`."""
    with server_of(midsize(), clips) as server:
        yield server


@contextmanager
def server_of(model: Path, clips: Path, *flags: str) -> Iterator[Server]:
    """Run `emotion-llama serve` with a checkpoint, the media root `clips` and further flags."""
    log = WORK / f"{'_'.join([model.name, *flags])}.log"
    own = ("--media-root", str(clips), "--log-level", "info")  # `dtype` reads the log
    with running_server(log, str(model), *_FLAGS, *own, *flags) as server:
        yield server


def dtype(server: Server) -> str:
    """Return the dtype of the engine, according to its log."""
    text = server.log.read_text(errors="replace")
    return text.partition("dtype=torch.")[2].partition(",")[0]


def text_model() -> Path:
    """Return the mid-size checkpoint's Llama as a checkpoint of its own."""
    folder, whole = WORK / "llama", midsize()
    if not folder.is_dir():
        making = WORK / "llama.new"
        making.mkdir()
        tensors = load_file(whole / "model.safetensors")
        own = {n.removeprefix(LANGUAGE): t for n, t in tensors.items() if n.startswith(LANGUAGE)}
        save_file(own, making / "model.safetensors", metadata={"format": "pt"})
        config = EmotionLlamaConfig.from_pretrained(whole).text.to_dict()
        config |= {"architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16"}
        (making / "config.json").write_text(json.dumps(config))
        for name in _TEXT_FILES:
            shutil.copy(whole / name, making)
        making.rename(folder)
    return folder


@contextmanager
def text_server(dtype: str) -> Iterator[str]:
    """Run vLLM's own server with the Llama, with the flags of our server, and yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.harness.stock_vllm", "--model", str(text_model())]
    command += [*_FLAGS, "--dtype", dtype, "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, WORK / "stock_vllm.log", lambda: answers(f"{url}/health"), {}):
        yield url
