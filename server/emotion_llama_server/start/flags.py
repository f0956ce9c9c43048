"""Parses and checks all flags of `emotion-llama serve` before the engine starts."""

import asyncio
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, NoReturn

import limits
from pydantic import ValidationError
from vllm.config import StructuredOutputsConfig
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.entrypoints.serve.utils.api_utils import cli_env_setup
from vllm.utils.argparse_utils import FlexibleArgumentParser

from emotion_llama_server.data.folder import DataFolderError, check_data_folder
from emotion_llama_server.environment import StartError
from emotion_llama_server.gate import MIDDLEWARE
from emotion_llama_server.gate.connection import MAX_HEAD_BYTES
from emotion_llama_server.gate.keys import KeyFormatError, KeyRing, read_keys
from emotion_llama_server.gate.oidc.issuer import Issuer, IssuerAway, IssuerWrong
from emotion_llama_server.gate.rate_storage import Storage, StorageFailure
from emotion_llama_server.logger import logger
from emotion_llama_server.settings import (
    LOOPBACK,
    ServerSettings,
    add_flags,
    first_error,
    given_flags,
)
from emotion_llama_server.start import tracing
from emotion_llama_server.start.arguments import HOST, PORT, SHUTDOWN_SECONDS
from emotion_llama_server.start.options import Cors, StartOptions
from emotion_llama_server.start.quantization import check_quantization
from emotion_llama_server.transcripts.service import Service, TranscriberSettingsError
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.checkpoint.doctor import examine_weights
from emotion_llama_vllm.hooks.cpu_defaults import engine_defaults
from emotion_llama_vllm.original import LOGITS_PROCESSOR
from emotion_llama_vllm.settings import ENV_PREFIX, MediaSettings, default_decode_workers

_MOST_SEQUENCES = 8
"""The maximum number of answers to one chat request."""

_ONE_PROCESS = "one process answers all requests; start several servers behind a router instead"
_IGNORED: dict[str, tuple[Any, ...]] = {
    "api_server_count": (None, 1),
    "headless": (False,),
    "data_parallel_multi_port_external_lb": (False,),
    "grpc": (False,),
}
"""The flags that only `vllm serve` obeys, with the values for which there is nothing to obey."""

_KEEP_ALIVE = "VLLM_HTTP_TIMEOUT_KEEP_ALIVE"


class _Parser(FlexibleArgumentParser):
    """Reports an invalid flag in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}; --help lists the flags.")


def make_parser() -> FlexibleArgumentParser:
    """Return vLLM's parser with our flags and defaults."""
    parser = make_arg_parser(_Parser(prog="emotion-llama serve"))
    add_flags(parser.add_argument_group("Emotion-LLaMA"), ServerSettings, MediaSettings)
    parser.set_defaults(
        host=HOST,
        port=PORT,
        chat_template_content_format="openai",
        disable_uvicorn_access_log=True,  # our log names the key and leaves query strings out
        shutdown_timeout=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        load_format="safetensors",  # never a pickle
        scheduling_policy="priority",  # the gate numbers the requests of each key in turn
        # The model never learnt to stop writing spaces between the parts of a document.
        structured_outputs_config=StructuredOutputsConfig(
            backend="xgrammar", disable_any_whitespace=True
        ),
        # This cache saves little, because workers pass on small frames. With it, vLLM returns an
        # error to a chat about a new clip that overtakes the request which carries the clip.
        mm_processor_cache_gb=0,
        use_tqdm_on_load=False,  # the model logs its own progress
    )
    return parser


def parse(argv: list[str]) -> Namespace:
    """Parse vLLM's flags and ours from the command line and the config file."""
    cli_env_setup()
    parser = make_parser()
    args: Namespace = parser.parse_args(argv)  # type: ignore[assignment]
    if args.model_tag is None and args.model == parser.get_default("model"):
        args = parser.parse_args(_demo_arguments(argv))  # type: ignore[assignment]
    _refuse_ignored(args)
    args.model = args.model_tag or args.model
    args.middleware = [*args.middleware, MIDDLEWARE]
    args.logits_processors = [*(args.logits_processors or []), LOGITS_PROCESSOR]
    _fill_in(args, parser)
    _check_media_settings(args)
    tracing.take_over(args)
    options = _options(args)
    options.put_on(args)
    _warn_without_keys(args, options)
    _bound_answers(args, options.settings)
    _set_keep_alive(options.settings)
    _check_rate_limit_storage(options.settings)
    _check_data_folder(args, options.settings)
    _check_issuer(options.settings.oidc_issuer)
    _check_transcriber(options.settings)
    _check_weights(args)
    check_quantization(args)
    validate_parsed_serve_args(args)
    return args


def _refuse_ignored(args: Namespace) -> None:
    """Refuse flags that would start other processes than this server, or none at all."""
    for name, idle in _IGNORED.items():
        if getattr(args, name, idle[0]) not in idle:
            raise StartError(f"--{name.replace('_', '-')} does not work here: {_ONE_PROCESS}.")


def _fill_in(args: Namespace, parser: ArgumentParser) -> None:
    """Set the best values for this machine where the operator sets none."""
    for name, value in engine_defaults(args.model, vars(args)).items():
        if getattr(args, name) == parser.get_default(name):
            setattr(args, name, value)


def _check_weights(args: Namespace) -> None:
    """Check a local checkpoint now; the engine would fail later, after pages of log."""
    folder = Path(args.model)
    if args.load_format == "safetensors" and folder.is_dir():
        for finding in examine_weights(folder):
            if not finding.ok:
                raise StartError(f"{folder}: {finding.words}")


def _options(args: Namespace) -> StartOptions:
    try:
        settings = ServerSettings(**given_flags(args, ServerSettings))
    except ValidationError as error:
        raise StartError(first_error(error)) from error
    return StartOptions(settings, _take_keys_over(args, settings), _take_cors_over(args))


def _take_keys_over(args: Namespace, settings: ServerSettings) -> KeyRing:
    """Read all keys, and leave none to vLLM, which protects only some routes.

    vLLM's child processes do not need the keys.
    """
    unnamed = [key for key in args.api_key or [os.environ.get("VLLM_API_KEY")] if key]
    args.api_key = None
    for name in ("VLLM_API_KEY", f"{ENV_PREFIX}API_KEYS"):
        os.environ.pop(name, None)
    try:
        keys = read_keys(settings, unnamed)
    except KeyFormatError as error:
        raise StartError(f"API keys: {error}.") from error
    if unknown := sorted(set(settings.metrics_key) - keys.names):
        raise StartError(f"--metrics-key: no API key has the name {unknown[0][:64]!r}.")
    return keys


def _take_cors_over(args: Namespace) -> Cors | None:
    """Leave vLLM no origins, because its middleware is inside our gate and sees no refusal."""
    origins, args.allowed_origins = args.allowed_origins, []
    if not origins:
        return None
    return Cors(origins, args.allow_credentials, args.allowed_methods, args.allowed_headers)


def _warn_without_keys(args: Namespace, options: StartOptions) -> None:
    if not options.needs_key and args.host not in LOOPBACK:
        logger.warning(
            "Anyone who can reach %s:%s may use it, because there are no API keys; "
            "--api-key-file FILE sets some.",
            *(args.host, args.port),
        )


def _bound_answers(args: Namespace, settings: ServerSettings) -> None:
    """Make vLLM also limit the answers to chat requests that set no limit."""
    bound = {"max_new_tokens": settings.max_answer_tokens}
    args.override_generation_config = bound | args.override_generation_config
    os.environ.setdefault("VLLM_MAX_N_SEQUENCES", str(_MOST_SEQUENCES))


def _check_rate_limit_storage(settings: ServerSettings) -> None:
    """Count a request on trial, so that a wrong address or password shows at the start."""
    if settings.rate_limit is None:
        return
    try:
        asyncio.run(Storage(limits.parse(settings.rate_limit), settings.rate_limit_storage).check())
    except StorageFailure as failure:
        raise StartError(
            f"--rate-limit-storage: it cannot count requests ({failure})."
        ) from failure


def _check_issuer(url: str | None) -> None:
    """Fetch the provider's keys on trial; one that is away now may be there when it is needed."""
    if url is None:
        return
    try:
        asyncio.run(Issuer(url).fetch_keys())
    except IssuerWrong as error:
        raise StartError(f"--oidc-issuer: {error}.") from error
    except IssuerAway as error:
        words = "--oidc-issuer: %s; until it answers, access tokens get status 503."
        logger.warning(words, error)


def _check_data_folder(args: Namespace, settings: ServerSettings) -> None:
    if settings.data_dir is None:
        return
    vllm_root = args.allowed_local_media_path
    roots = [*MediaSettings().media_root, *([Path(vllm_root)] if vllm_root else [])]
    try:
        check_data_folder(settings.data_dir, roots)
    except DataFolderError as error:
        raise StartError(str(error)) from error


def _check_transcriber(settings: ServerSettings) -> None:
    """Read the key of the transcription service; the service itself may start later."""
    try:
        Service.of(settings, MediaSettings())
    except TranscriberSettingsError as error:
        raise StartError(str(error)) from error


def _set_keep_alive(settings: ServerSettings) -> None:
    """Pass the setting to vLLM; vLLM's own variable applies if ours is not set."""
    if _KEEP_ALIVE not in os.environ or "keep_alive_seconds" in settings.model_fields_set:
        os.environ[_KEEP_ALIVE] = str(settings.keep_alive_seconds)


def _check_demo_configuration(argv: list[str]) -> None:
    """Refuse a shipped configuration of the 7B without a model: it would start the demo with it."""
    others = {str(path): path.stem for path in demo_files.configs() if path != demo_files.config()}
    for word in argv:
        if name := others.get(word):
            raise StartError(
                f"--config {name} is for a checkpoint of yours: name its folder, as "
                f"`emotion-llama serve FOLDER --config {name}`."
            )


def _demo_arguments(argv: list[str]) -> list[str]:
    """Return the caller's arguments after those for the demo checkpoint and its clips."""
    _check_demo_configuration(argv)
    checkpoint = demo_files.checkpoint()
    if not (checkpoint / "config.json").is_file():
        raise StartError(
            "name a checkpoint folder: the demo's is missing; "
            "`make demo-checkpoint` in a checkout trains it anew into build/demo/checkpoint."
        )
    config = [] if "--config" in argv else ["--config", str(demo_files.config())]
    demo = ["--model", str(checkpoint), "--served-model-name", demo_files.MODEL_NAME]
    return [*config, *demo, "--media-root", str(demo_files.clips()), *argv]


def _check_media_settings(args: Namespace) -> None:
    """Check the media flags, and pass them to every process through the environment."""
    os.environ.setdefault(f"{ENV_PREFIX}DECODE_WORKERS", str(default_decode_workers()))
    for name, value in given_flags(args, MediaSettings).items():
        if name == "media_root":
            value = ":".join(str(Path(p).absolute()) for v in value for p in v.split(":") if p)
        elif isinstance(value, list):
            value = ",".join(value)
        os.environ[f"{ENV_PREFIX}{name.upper()}"] = str(value)
    try:
        settings = MediaSettings()
    except ValidationError as error:
        raise StartError(first_error(error)) from error
    for root in settings.media_root:
        if not root.is_dir():
            raise StartError(f"--media-root: {root} is no folder.")
