"""`emotion-llama serve`: vLLM's OpenAI server with our model, our routes and a second port."""

import errno
import importlib.util
import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_llama_server import environment
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.runtime import PLUGINS, compile_nothing, set_environment

if TYPE_CHECKING:
    from fastapi import FastAPI


class StartError(Exception):
    """Why the server does not start, in one sentence."""


def main(argv: Sequence[str]) -> int:
    """Serve until stopped; return the exit code."""
    try:
        _check_installation()
        set_environment()
        args = _parse(list(argv))
        _check_plugins()
        return _run(args)
    except StartError as error:
        print(f"emotion-llama serve: {error}", file=sys.stderr)
        return 2


def _check_installation() -> None:
    engine = environment.detect_engine()
    if engine is None or importlib.util.find_spec("av") is None:
        raise StartError(
            "the engine is not installed; "
            "run `pip install 'emotion-llama[cpu]'`, or [gpu] with an NVIDIA GPU."
        )
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


def _parse(argv: list[str]) -> Namespace:
    """Read the flags: vLLM's and ours, from the command line and the config file."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
    from vllm.entrypoints.serve.utils.api_utils import cli_env_setup
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    from emotion_llama_vllm.logits_processor import CLASS_NAME

    cli_env_setup()
    parser = make_arg_parser(FlexibleArgumentParser(prog="emotion-llama serve"))
    ours = parser.add_argument_group("Emotion-LLaMA")
    ours.add_argument("--legacy-port", type=parser.check_port, default=7887, help="the second port")
    ours.add_argument(
        "--media-root",
        action="append",
        default=[],
        metavar="DIR",
        help="folder whose clips requests may name; give it again, or join several with ':'",
    )
    ours.add_argument("--max-media-mb", type=float, help="largest clip in MiB")
    ours.add_argument("--max-audio-seconds", type=float, help="longest sound of a clip")
    ours.add_argument("--max-timeline-seconds", type=float, help="longest clip cut into windows")
    ours.add_argument("--media-fetch-seconds", type=float, help="deadline for fetching a clip")
    ours.add_argument(
        "--answer-cache-mb",
        type=float,
        default=0,
        metavar="N",
        help="keep answers to identical deterministic requests of /v1/emotion, at most N MiB",
    )
    parser.set_defaults(
        host="127.0.0.1",
        port=7889,
        chat_template_content_format="openai",
        enable_request_id_headers=True,
    )
    args: Namespace = parser.parse_args(argv)  # type: ignore[assignment]
    if args.model_tag is None and args.model == parser.get_default("model"):
        args = parser.parse_args(_demo_arguments(argv))  # type: ignore[assignment]
    args.model = args.model_tag or args.model
    args.logits_processors = [*(args.logits_processors or []), CLASS_NAME]
    if args.answer_cache_mb < 0:
        raise StartError("--answer-cache-mb: must be 0 or more.")
    _export_media_settings(args)
    validate_parsed_serve_args(args)
    return args


def _demo_arguments(argv: list[str]) -> list[str]:
    """The demo checkpoint and its clips, in front of what the caller gave."""
    checkpoint = demo_files.checkpoint()
    if not (checkpoint / "config.json").is_file():
        raise StartError(
            "name a checkpoint folder: the demo's is missing; "
            "`python -m demo.train --work DIR --out demo/checkpoint` makes it."
        )
    config = [] if "--config" in argv else ["--config", str(demo_files.config())]
    demo = ["--model", str(checkpoint), "--served-model-name", demo_files.MODEL_NAME]
    return [*config, *demo, "--media-root", str(demo_files.clips()), *argv]


def _export_media_settings(args: Namespace) -> None:
    """Hand the media flags to every process through the environment, and check them here."""
    from pydantic import ValidationError

    from emotion_llama_vllm.settings import ENV_PREFIX, MediaSettings

    for name in MediaSettings.model_fields:
        value = getattr(args, name)
        if name == "media_root":
            value = ":".join(str(Path(p).absolute()) for v in value for p in v.split(":") if p)
        if value not in (None, ""):
            os.environ[f"{ENV_PREFIX}{name.upper()}"] = str(value)
    try:
        settings = MediaSettings()
    except ValidationError as error:
        first = error.errors()[0]
        flag = str(first["loc"][0]).replace("_", "-")
        raise StartError(f"--{flag}: {first['msg']}.") from error
    for root in settings.media_root:
        if not root.is_dir():
            raise StartError(f"--media-root: {root} is no folder.")


def _check_plugins() -> None:
    """vLLM only logs a plugin that fails to load; then the server would lack what it is for."""
    from vllm.model_executor.models import ModelRegistry
    from vllm.plugins import load_endpoint_plugins, load_general_plugins

    from emotion_llama_vllm import ARCHITECTURE

    load_general_plugins()
    routes = {plugin.name for plugin in load_endpoint_plugins(("generate",))}
    if ARCHITECTURE not in ModelRegistry.get_supported_archs() or PLUGINS[1] not in routes:
        raise StartError(
            "vLLM did not load Emotion-LLaMA's plugins (the log above says why); "
            "reinstall the package in this environment."
        )


def _run(args: Namespace) -> int:
    import uvloop
    from vllm.entrypoints.launchers.api_server.entry import run_server
    from vllm.logger import configure_logging_from_args
    from vllm.platforms import current_platform

    from emotion_llama_server.listeners import LegacyListener

    configure_logging_from_args(args)
    if args.enforce_eager and current_platform.is_cpu():
        compile_nothing()

    async def serve() -> None:
        listener = LegacyListener(args.host, args.legacy_port, partial(_announce, args))
        args.on_app_ready = listener.start
        try:
            await run_server(args)
        finally:
            await listener.stop()

    try:
        uvloop.run(serve())
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise StartError(
            f"port {args.port} or {args.legacy_port} is in use; "
            "choose others with --port and --legacy-port."
        ) from error
    return 0


def _announce(args: Namespace, app: "FastAPI") -> None:
    """Say where the server is and how to ask it, once it really answers."""
    host = "127.0.0.1" if args.host in ("0.0.0.0", "::") else args.host  # noqa: S104
    scheme = "https" if args.ssl_certfile else "http"
    base, legacy = (f"{scheme}://{host}:{port}" for port in (args.port, args.legacy_port))
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
