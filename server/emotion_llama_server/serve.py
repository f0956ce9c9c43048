"""`emotion-llama serve`: vLLM's OpenAI server with our model, our routes and a second port."""

import errno
import importlib.util
import json
import logging
import os
import resource
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from emotion_llama_server import ending, environment
from emotion_llama_server.environment import StartError
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.orphan import announce_server
from emotion_llama_vllm.runtime import PLUGINS, compile_nothing, set_environment

if TYPE_CHECKING:
    from fastapi import FastAPI

_EXIT_NO_ENGINE = 1
_FEWEST_DESCRIPTORS = 256
"""The engine has 73 open without a request; each client takes one, and its clip a few."""


def main(argv: Sequence[str]) -> int:
    """Serve until stopped; return the exit code."""
    with ending.at_once_on_signal():
        try:
            return _main(list(argv))
        except StartError as error:
            print(f"emotion-llama serve: {error}", file=sys.stderr)
            return 2


def _main(argv: list[str]) -> int:
    _check_installation()
    _check_descriptors()
    set_environment()
    announce_server()
    from emotion_llama_server.flags import parse

    args = parse(argv)
    _check_plugins()
    return _run(args)


def _check_installation() -> None:
    engine = environment.detect_engine()
    if engine is None or importlib.util.find_spec("av") is None:
        raise StartError(f"the engine is not installed; {environment.HOW_TO_INSTALL}.")
    if not engine.supported:
        raise StartError(
            f"{engine.name} {engine.version} is installed, "
            f"but this release works with vLLM {environment.VLLM_SERIES}."
        )
    if foreign := environment.mismatched_companions():
        names = ", ".join(companion.name for companion in foreign)
        raise StartError(
            f"{names} do not match the installed PyTorch and would break it; "
            "run `python -m emotion_llama_server.environment --mend`."
        )


def _check_descriptors() -> None:
    """vLLM would only raise the soft limit, and end with pages of log where that is too little."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < _FEWEST_DESCRIPTORS:
        raise StartError(
            f"a process may open {hard} files here, and the server needs {_FEWEST_DESCRIPTORS}; "
            "raise the limit (`ulimit -n`, or LimitNOFILE= of a systemd unit)."
        )


def _check_plugins() -> None:
    """vLLM only logs a plugin that fails to load; then the server would lack what it is for."""
    from vllm.model_executor.models import ModelRegistry
    from vllm.plugins import load_endpoint_plugins, load_general_plugins

    from emotion_llama_vllm import ARCHITECTURE

    load_general_plugins()
    routes = {plugin.name for plugin in load_endpoint_plugins(("generate",))}
    if ARCHITECTURE not in ModelRegistry.get_supported_archs() or PLUGINS[1] not in routes:
        raise StartError(
            "vLLM did not load Emotion-LLaMA's plugins: the log above says why. "
            "If it tells of nothing else, reinstall the package in this environment."
        )


def _run(args: Namespace) -> int:
    import uvloop
    from vllm.logger import configure_logging_from_args
    from vllm.platforms import current_platform

    from emotion_llama_server.memory_kills import MemoryKills

    configure_logging_from_args(args)
    _size_cache(args)
    if args.enforce_eager and current_platform.is_cpu():
        compile_nothing()

    kills = MemoryKills()
    try:
        return uvloop.run(_serve(args))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        raise StartError(
            f"port {args.port} or {args.legacy_port} of {args.host} cannot be had "
            f"({os.strerror(error.errno)}); choose others with --port and --legacy-port."
        ) from error
    except ValueError as error:
        # vLLM checks its own settings when it makes its configuration of them.
        raise StartError(_one_sentence(error)) from error
    except RuntimeError:
        # vLLM's words for an engine that ended during the start, whatever ended it.
        if (why := kills.sentence()) is None:
            raise
        print(f"emotion-llama serve: the engine did not start. {why}", file=sys.stderr)
        return _EXIT_NO_ENGINE


def _size_cache(args: Namespace) -> None:
    """Bound what vLLM would otherwise take of a machine without a GPU, and say how much it is."""
    from emotion_llama_vllm.attention_cache import TooLittleMemory, default_size

    try:
        size = default_size(args.model, vars(args))
    except TooLittleMemory as error:
        raise StartError(str(error)) from error
    if size is not None:
        args.kv_cache_memory_bytes = size.per_rank
        logging.getLogger("vllm.emotion_llama_server").info("%s", size)


def _one_sentence(error: ValueError) -> str:
    from emotion_llama_server.settings import first_error

    if isinstance(error, ValidationError):
        return first_error(error)
    return " ".join(str(error).split())


async def _serve(args: Namespace) -> int:
    """Serve on both ports until the end; return the exit code."""
    from vllm.entrypoints.launchers.api_server.entry import run_server_worker
    from vllm.entrypoints.launchers.launcher import setup_server
    from vllm.utils.system_utils import decorate_logs

    from emotion_llama_server.listeners import LegacyListener, claim, cut_stalled, port_options

    # vLLM's `run_server` does the same, but it takes SIGTERM over while the engine starts.
    decorate_logs("APIServer", skip_if_decorated=True)
    claims = [claim(args.host, port) for port in (args.port, args.legacy_port)]
    legacy = LegacyListener(args, lambda app: _announce(args, app))
    address, listener = setup_server(args, reuse_port=False)
    cut_stalled(listener)
    args.on_app_ready = legacy.prepare
    try:
        await run_server_worker(address, listener, args, **port_options(legacy.start))
    finally:
        await legacy.stop()
        for claimed in claims:
            claimed.close()
    return legacy.exit_code


def _announce(args: Namespace, app: "FastAPI") -> None:
    """Say where the server is and how to ask it, once it really answers."""
    scheme = "https" if args.ssl_certfile else "http"
    base, legacy = (
        f"{scheme}://{_url_host(args.host)}:{port}" for port in (args.port, args.legacy_port)
    )
    is_demo = args.served_model_name == [demo_files.MODEL_NAME]
    clip = "happy_face.mp4" if is_demo else "PATH/UNDER/A/MEDIA/ROOT.mp4"
    body = json.dumps({"video_path": clip, "question": "[reason] Which emotion, and why?"})
    print(
        f"\nEmotion-LLaMA is ready. {app.state.emotion_llama_card.description}\n"
        f"  OpenAI API      {base}/v1\n"
        f"  legacy routes   {base}/api/predict/   {legacy}/process_video\n"
        f"  documentation   {base}/docs\n\n"
        f"Try it:\n"
        f"  curl {legacy}/process_video -H 'Content-Type: application/json' \\\n"
        f"    -d '{body}'\n",
        flush=True,
    )


def _url_host(host: str) -> str:
    """Return how a client on this machine names the address that the server listens on."""
    here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{here}]" if ":" in here else here
