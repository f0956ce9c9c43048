"""What `emotion-llama serve` makes of its flags."""

import os
import pickle
import re
import shutil
import socket
import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi import FastAPI
from safetensors.torch import load_file, save_file
from vllm.v1.engine.exceptions import EngineDeadError

from devtools.server import free_port
from emotion_llama_server import environment
from emotion_llama_server.environment import StartError
from emotion_llama_server.errors import describe
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import flags, memory_kills, serve
from emotion_llama_server.start.options import StartOptions
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.hooks import attention_cache, vllm_environment
from emotion_llama_vllm.memory import Memory
from tests.support.apps.services import services
from tests.support.logs import hear_vllm

pytestmark = pytest.mark.usefixtures("log_of_the_tests")


@pytest.fixture
def parse(clean_environment: pytest.MonkeyPatch) -> Any:
    for name in ("EMOTION_LLAMA_MEDIA_ROOT", "EMOTION_LLAMA_MAX_MEDIA_MB"):
        clean_environment.setenv(name, "")
        clean_environment.delenv(name)
    return lambda *argv: flags.parse(list(argv))


def test_a_data_folder_that_requests_could_read_is_refused(parse: Any, tmp_path: Path) -> None:
    for flag in ("--media-root", "--allowed-local-media-path"):
        with pytest.raises(StartError, match=r"^--data-dir: .+; choose a folder outside\.$"):
            parse("--data-dir", str(tmp_path / "data"), flag, str(tmp_path))


def test_without_a_model_it_serves_the_demo(parse: Any) -> None:
    args = parse()
    assert args.model == str(demo_files.checkpoint())
    assert args.served_model_name == [demo_files.MODEL_NAME]
    assert (args.host, args.port) == ("127.0.0.1", 7889)
    assert StartOptions.of(args).settings.legacy_port == 7887
    assert args.enforce_eager
    assert os.environ["EMOTION_LLAMA_MEDIA_ROOT"] == str(demo_files.clips())


@pytest.mark.parametrize(
    ("given", "is_allowed"),
    [
        ([], False),
        (["--allow-text-only"], True),
        (["--allow-text-only", "--port", "8000"], True),
        (["--allow-text-only", "true"], True),
        (["--allow-text-only=false"], False),
    ],
)
def test_a_switch_needs_no_value(parse: Any, given: list[str], is_allowed: bool) -> None:
    assert StartOptions.of(parse(*given)).settings.allow_text_only is is_allowed


def test_a_config_file_turns_a_switch_on(parse: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("model: DIR\nallow-text-only: true\nseed: 3\n")
    args = parse("--config", str(config))
    assert StartOptions.of(args).settings.allow_text_only
    assert args.seed == 3


@pytest.mark.parametrize(
    "given", [["--api-server-count", "2"], ["--api-server-count=0"], ["--headless"]]
)
def test_a_flag_that_would_be_ignored_is_refused_in_one_sentence(
    parse: Any, given: list[str]
) -> None:
    flag = given[0].partition("=")[0]
    with pytest.raises(StartError, match=rf"^{flag} does not work here: one process [^.]+\."):
        parse(*given)


def test_one_api_server_is_what_there_is(parse: Any) -> None:
    assert parse("--api-server-count", "1").api_server_count == 1


def test_json_has_no_blanks_unless_the_operator_says_otherwise(parse: Any) -> None:
    assert parse().structured_outputs_config.disable_any_whitespace
    given = parse("--structured-outputs-config", '{"backend": "guidance"}')
    assert given.structured_outputs_config != parse().structured_outputs_config


@pytest.mark.parametrize("name", ["emotion-llama-7b", "emotion-llama-7b-cpu"])
def test_a_configuration_of_the_7b_needs_a_model(parse: Any, name: str) -> None:
    config = str(demo_files.config().with_stem(name))
    with pytest.raises(StartError, match=f"--config {name} is for a checkpoint of yours"):
        parse("--config", config)


def test_flags_win_over_the_demos_config(parse: Any, tmp_path: Path) -> None:
    args = parse("--max-model-len", "1024", "--media-root", str(tmp_path), "--port", "8000")
    assert (args.max_model_len, args.port) == (1024, 8000)
    roots = os.environ["EMOTION_LLAMA_MEDIA_ROOT"].split(":")
    assert roots == [str(demo_files.clips()), str(tmp_path)]


@pytest.mark.parametrize("form", [["DIR"], ["--model", "DIR"]])
def test_a_model_is_served_without_the_demos_clips(parse: Any, form: list[str]) -> None:
    args = parse(*form)
    assert args.model == "DIR"
    assert not args.enforce_eager
    assert not os.environ.get("EMOTION_LLAMA_MEDIA_ROOT")


def test_a_config_file_holds_our_keys_beside_vllms(parse: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"model: DIR\nmedia-root: {tmp_path}\nmax-media-mb: 7\nlegacy-port: 9000\nseed: 3\n"
    )
    args = parse("--config", str(config))
    assert (args.model, args.seed) == ("DIR", 3)
    assert StartOptions.of(args).settings.legacy_port == 9000
    assert float(os.environ["EMOTION_LLAMA_MAX_MEDIA_MB"]) == 7


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("demo", 2048),
        ("emotion-llama-7b", 2048),
        ("emotion-llama-7b-12gb", 1024),
        ("emotion-llama-7b-cpu", 2048),
    ],
)
def test_each_config_that_ships_is_understood(parse: Any, name: str, length: int) -> None:
    args = parse("DIR", "--config", str(demo_files.config().with_stem(name)))
    assert args.max_model_len == length


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU can do it")
def test_a_config_for_gpus_is_refused_without_one(parse: Any) -> None:
    with pytest.raises(StartError, match="--quantization fp8_per_tensor needs a GPU; without one"):
        parse("DIR", "--config", str(demo_files.config().with_stem("emotion-llama-7b-16gb")))


@pytest.mark.parametrize(("cores", "workers"), [(1, 2), (2, 2), (10, 5), (16, 8), (64, 8)])
def test_clips_are_decoded_by_half_of_the_cores(
    parse: Any, clean_environment: pytest.MonkeyPatch, cores: int, workers: int
) -> None:
    clean_environment.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    parse("DIR")
    assert os.environ["EMOTION_LLAMA_DECODE_WORKERS"] == str(workers)


@pytest.mark.skipif(torch.cuda.is_available(), reason="vLLM sizes the cache of a GPU")
def test_without_a_size_the_cache_gets_what_requests_can_use(parse: Any, checkpoint: Path) -> None:
    args = parse(str(checkpoint), "--dtype", "float32", "--max-num-seqs", "9")
    serve._size_cache(args)
    assert args.kv_cache_memory_bytes == 9 * 2048 * 2 * 2 * 128 * 4
    args = parse(str(checkpoint), "--gpu-memory-utilization", "0.1")
    serve._size_cache(args)
    assert args.kv_cache_memory_bytes is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="vLLM sizes the cache of a GPU")
def test_too_little_memory_for_one_request_ends_the_start(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkpoint: Path
) -> None:
    clean_environment.setattr(environment, "mismatched_companions", list)
    little = Memory(total=1 << 30, free=1 << 30)
    clean_environment.setattr(attention_cache, "read_memory", lambda: little)
    assert serve.main([str(checkpoint)]) == 2
    assert "1.0 GiB of memory are free" in capsys.readouterr().err


@pytest.mark.parametrize("kills", [0, 1])
def test_an_engine_that_the_kernel_ended_for_memory_is_told_as_that(
    clean_environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    kills: int,
) -> None:
    counts = iter([5, 5 + kills])

    def end(coroutine: Coroutine[Any, Any, int]) -> int:
        coroutine.close()
        raise RuntimeError("Engine core initialization failed.")

    clean_environment.setattr(environment, "mismatched_companions", list)
    clean_environment.setattr(memory_kills, "count_kills", lambda: next(counts))
    clean_environment.setattr("uvloop.run", end)
    assert serve.main([str(checkpoint)]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("emotion-llama serve: the engine did not start.")
    assert ("lower --kv-cache-memory-bytes" in line) == bool(kills)


def test_the_penalty_is_always_loaded(parse: Any) -> None:
    assert parse("DIR").logits_processors == [
        "emotion_llama_vllm.logits_processor:GeneratedRepetitionPenalty"
    ]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--media-root", "/no/such/folder"], "is no folder"),
        (["--max-media-mb", "-1"], "--max-media-mb"),
        (["--max-audio-seconds", "0"], "--max-audio-seconds"),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(parse: Any, flags: list[str], reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        parse("DIR", *flags)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--max-in-flight", "0"], "--max-in-flight"),
        (["--max-waiting", "-1"], "--max-waiting"),
        (["--request-timeout", "-3"], "--request-timeout"),
        (["--max-upload-mb", "x"], "--max-upload-mb"),
        (["--rate-limit", "often"], "10/minute"),
        (["--rate-limit-storage", "carrier-pigeon://"], "memory://"),
        (["--trusted-proxy", "somewhere"], "--trusted-proxy"),
        (["--legacy-port", "70000"], "--legacy-port"),
        (["--log-format", "xml"], "--log-format"),
        (["--port", "7887", "--legacy-port", "7887"], "are both 7887"),
        (["--keep-alive-seconds", "0"], "--keep-alive-seconds"),
        (["--decode-workers", "-1"], "--decode-workers"),
        (["--api-key-file", "/no/such/file"], "there is no file /no/such/file"),
        (["--metrics-key", "nobody"], "--metrics-key: no API key has the name 'nobody'"),
        (["--rate-limit-fail", "sideways"], "--rate-limit-fail"),
        (["--no-such-flag"], "--no-such-flag"),
        (["--port", "many"], "--port"),
        (["--max-num-batched-tokens", "0"], "--max-num-batched-tokens"),
        (["--max-model-len", "-5"], "max_model_len|max-model-len"),
        (["--max-model-len", "99999999"], "max_model_len|max-model-len"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_sentence(
    clean_environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    reason: str,
) -> None:
    clean_environment.setattr(environment, "mismatched_companions", list)
    ports = ["--port", str(free_port()), "--legacy-port", str(free_port())]
    assert serve.main([*ports, *flags]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if "emotion-llama serve:" in line]
    assert len(told) == 1
    assert re.search(reason, told[0])


def test_a_busy_port_ends_the_start(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean_environment.setattr(environment, "mismatched_companions", list)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        for flags in (["--port", port, "--legacy-port", str(free_port())], ["--legacy-port", port]):
            assert serve.main(flags) == 2
            assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "no \\*.safetensors"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(pickle.dumps({"a": 1})),
            "damaged or a pickle",
        ),
        (lambda folder: _without_a_tensor(folder / "model.safetensors"), "is missing"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json"),
    ],
)
def test_a_checkpoint_that_cannot_work_ends_the_start(
    clean_environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    tmp_path: Path,
    spoil: Callable[[Path], object],
    reason: str,
) -> None:
    clean_environment.setattr(environment, "mismatched_companions", list)
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    spoil(folder)
    assert serve.main([str(folder)]) == 2
    assert re.search(reason, capsys.readouterr().err)


def _without_a_tensor(path: Path) -> None:
    tensors = load_file(path)
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("host", "keys", "warns"),
    [
        ("0.0.0.0", "", True),
        ("0.0.0.0", "a:k", False),
        ("127.0.0.1", "", False),
    ],
)
def test_an_open_server_without_keys_warns(
    parse: Any,
    clean_environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    host: str,
    keys: str,
    warns: bool,
) -> None:
    hear_vllm(caplog, clean_environment)
    clean_environment.setenv("EMOTION_LLAMA_API_KEYS", keys)
    parse("--host", host)
    assert ("Anyone who can reach" in caplog.text) is warns
    assert "EMOTION_LLAMA_API_KEYS" not in os.environ


def test_vllms_own_key_becomes_one_of_ours(
    parse: Any, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("VLLM_API_KEY", "from-the-environment")
    assert StartOptions.of(parse()).keys.find(b"from-the-environment") == "api-key"
    assert "VLLM_API_KEY" not in os.environ
    args = parse("--api-key", "one", "two")
    assert [StartOptions.of(args).keys.find(key) for key in (b"one", b"two")] == ["api-key"] * 2
    assert args.api_key is None


def test_connections_are_kept_longer_than_proxies_keep_them(
    parse: Any, clean_environment: pytest.MonkeyPatch
) -> None:
    name = "VLLM_HTTP_TIMEOUT_KEEP_ALIVE"
    clean_environment.setenv(name, "")
    clean_environment.delenv(name)
    parse("DIR")
    assert os.environ[name] == "75"
    os.environ[name] = "9"
    parse("DIR")
    assert os.environ[name] == "9"
    parse("DIR", "--keep-alive-seconds", "30")
    assert os.environ[name] == "30"


def test_a_head_is_as_large_as_the_operator_says(parse: Any) -> None:
    assert parse("DIR").h11_max_incomplete_event_size == 64 << 10
    given = parse("DIR", "--h11-max-incomplete-event-size", "9000")
    assert given.h11_max_incomplete_event_size == 9000


def test_a_dead_engine_is_told_as_503() -> None:
    assert describe(EngineDeadError()).status == 503


@pytest.mark.parametrize("is_kept", [True, False])
def test_lines_of_json_say_where_it_listens_and_what_is_kept(
    clean_environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    is_kept: bool,
) -> None:
    hear_vllm(caplog, clean_environment)
    clean_environment.setenv("EMOTION_LLAMA_LOG_FORMAT", "json")
    settings = ServerSettings(data_dir=tmp_path if is_kept else None, keep_days=7, max_stored_gb=2)
    app = FastAPI()
    install(app, services(settings))
    serve._announce(Namespace(host="127.0.0.1", port=7889, ssl_certfile=None), app)
    told = {record.message: vars(record) for record in caplog.records}
    assert told["Emotion-LLaMA listens."]["url"] == "http://127.0.0.1:7889"
    kept = {"data_dir": str(tmp_path), "keep_days": 7, "max_stored_gb": 2}
    words = "Uploads and results of batches are kept."
    assert (words in told) is is_kept
    assert told.get(words, kept).items() >= kept.items()


def test_the_plugins_are_named_beside_the_operators_own(
    clean_environment: pytest.MonkeyPatch,
) -> None:
    for name in ("VLLM_NO_USAGE_STATS", "VLLM_MEDIA_CONNECTOR", "VLLM_USE_V2_MODEL_RUNNER"):
        clean_environment.setenv(name, "")
        clean_environment.delenv(name)
    clean_environment.setenv("VLLM_PLUGINS", "mine,emotion_llama")
    vllm_environment.set_environment()
    assert os.environ["VLLM_PLUGINS"] == "mine,emotion_llama,emotion_llama_api,emotion_llama_cpu"
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1"


def test_a_plugin_that_does_not_load_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vllm.plugins.load_endpoint_plugins", lambda tasks: [])
    with pytest.raises(StartError, match="plugins"):
        serve._check_plugins()


@pytest.mark.parametrize(
    ("engine", "reason"),
    [(None, "pip install"), (environment.Engine("vllm", "0.31.0"), "works with vLLM 0.32")],
)
def test_a_missing_or_other_engine_is_told(
    monkeypatch: pytest.MonkeyPatch, engine: environment.Engine | None, reason: str
) -> None:
    monkeypatch.setattr(environment, "detect_engine", lambda: engine)
    with pytest.raises(StartError, match=reason):
        serve._check_installation()


@pytest.mark.parametrize("hard", [64, 255])
def test_too_few_files_that_may_be_opened_end_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hard: int
) -> None:
    monkeypatch.setattr(environment, "mismatched_companions", list)
    monkeypatch.setattr("resource.getrlimit", lambda _: (hard, hard))
    assert serve.main([]) == 2
    assert f"may open {hard} files here" in capsys.readouterr().err


def test_companions_that_break_torch_are_told_with_the_mend(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = environment.Companion("torchvision", "0.28.0", "a CUDA build")
    monkeypatch.setattr(environment, "mismatched_companions", lambda: [foreign])
    assert serve.main([]) == 2
    mend = f"`{sys.executable} -m emotion_llama_server.environment --mend`"
    assert mend in capsys.readouterr().err
