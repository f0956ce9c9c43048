"""Runs `emotion-llama serve`: vLLM's OpenAI server with our model, our routes and a second port."""

import errno
import importlib.util
import os
import resource
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from emotion_llama_server import environment
from emotion_llama_server.environment import StartError
from emotion_llama_server.logger import logger
from emotion_llama_server.start import addresses, ending, log
from emotion_llama_server.start.process import without_garbage_collection
from emotion_llama_vllm import stages
from emotion_llama_vllm.hooks.cpu_defaults import spin_less
from emotion_llama_vllm.hooks.orphan import announce_server
from emotion_llama_vllm.hooks.vllm_environment import PLUGINS, compile_nothing, set_environment

if TYPE_CHECKING:
    from fastapi import FastAPI

EXIT_NO_ENGINE = 1
_NO_ENGINE = "Engine core initialization failed"
"""The beginning of vLLM's error if the engine's process ended before it was ready."""
_FEWEST_DESCRIPTORS = 256
"""The minimum of file descriptors: the idle engine has 73 open, each client one, its clip a few."""


def main(argv: Sequence[str]) -> int:
    """Serve until a signal arrives; return the exit code."""
    with ending.at_once_on_signal():
        try:
            _check_installation()
            _check_descriptors()
            return _help(asked) if (asked := _question(argv)) else _serve_by(argv)
        except StartError as error:
            log.refuse(str(error))
            return 2


def _question(argv: Sequence[str]) -> str | None:
    """Return the argument that requests help, or None."""
    asking = ("-h", "--help", "--help-vllm")
    return next((word for word in argv if word.partition("=")[0] in asking), None)


def _help(asked: str) -> int:
    """Print our flags or all of vLLM's, or those with the word after `--help-vllm=`."""
    if asked in ("-h", "--help"):
        from emotion_llama_server.start.help import help_text

        print(help_text())
    else:
        from emotion_llama_server.start.flags import make_parser

        make_parser().parse_args([f"--help={asked.partition('=')[2] or 'all'}"])
    return 0


def _serve_by(argv: Sequence[str]) -> int:
    """Check everything that can fail at once, then serve with these flags."""
    from emotion_llama_server.start import arguments, checks

    words = arguments.normalise(argv)
    wanted = arguments.read(words)
    log.configure(wanted)
    checks.check(wanted)
    with without_garbage_collection():
        args = _parse(words)
        checks.check_model(args.model)
        _check_plugins()
    return _run(args)


def _parse(words: list[str]) -> Namespace:
    """Import vLLM and parse the flags."""
    stages.begin()
    stages.tell("Importing vLLM")
    set_environment()
    announce_server()
    ending.start_tracker()
    allow_compiler = _prepare_for_cpus()
    from emotion_llama_server.start.flags import parse

    stages.tell("Checking the settings")
    args = parse(words)
    if not args.enforce_eager:
        allow_compiler()
    return args


def _prepare_for_cpus() -> Callable[[], None]:
    """Set what this process reads at its imports, as the engine's process is a copy of it.

    The result lets the engine compile in a new process.
    """
    engine = environment.detect_engine()
    if engine is None or not engine.is_for_cpus:
        return lambda: None
    spin_less()
    return compile_nothing()


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
            f"run `{sys.executable} -m emotion_llama_server.environment --mend`."
        )


def _check_descriptors() -> None:
    """Check the hard limit of open files, because vLLM only raises the soft one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < _FEWEST_DESCRIPTORS:
        raise StartError(
            f"a process may open {hard} files here, and the server needs {_FEWEST_DESCRIPTORS}; "
            "raise the limit (`ulimit -n`, or LimitNOFILE= of a systemd unit)."
        )


def _check_plugins() -> None:
    """Check that our plugins were loaded, because vLLM only logs a plugin that fails to load."""
    from vllm import ModelRegistry
    from vllm.plugins import load_endpoint_plugins, load_general_plugins

    from emotion_llama_vllm import ARCHITECTURE

    load_general_plugins()
    routes = {plugin.name for plugin in load_endpoint_plugins(("generate",))}
    if ARCHITECTURE not in ModelRegistry.get_supported_archs() or PLUGINS[1] not in routes:
        raise StartError(
            "vLLM did not load Emotion-LLaMA's plugins: the log above says why. "
            "If it names no other error, reinstall the package in this environment."
        )


def _run(args: Namespace) -> int:
    import uvloop
    from vllm.logger import configure_logging_from_args
    from vllm.platforms import current_platform

    from emotion_llama_server.start.memory_kills import MemoryKills
    from emotion_llama_server.start.options import StartOptions

    configure_logging_from_args(args)
    _size_cache(args)
    if args.enforce_eager and current_platform.is_cpu():
        compile_nothing()

    kills = MemoryKills()
    try:
        return uvloop.run(_serve(args))
    except OSError as error:
        number = error.errno
        if number is None or number not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        legacy_port = StartOptions.of(args).settings.legacy_port
        raise StartError(
            f"port {args.port} or {legacy_port} of {args.host} is not available "
            f"({os.strerror(number)}); choose others with --port and --legacy-port."
        ) from error
    except RuntimeError as error:
        if not str(error).startswith(_NO_ENGINE):
            raise
        why = kills.sentence() or "The log above says why."
        log.refuse(f"the engine did not start. {why}")
        return EXIT_NO_ENGINE
    except ValueError as error:
        # vLLM checks its own settings when it creates its configuration.
        raise StartError(_one_sentence(error)) from error


def _size_cache(args: Namespace) -> None:
    """Limit the memory that vLLM would use on a machine without a GPU, and log the limit."""
    from emotion_llama_vllm.hooks.attention_cache import TooLittleMemory, default_size

    try:
        size = default_size(args.model, vars(args))
    except TooLittleMemory as error:
        raise StartError(str(error)) from error
    if size is not None:
        args.kv_cache_memory_bytes = size.per_rank
        logger.info("%s", size)


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

    from emotion_llama_server.start.listeners import LegacyListener, cut_stalled, port_options
    from emotion_llama_server.start.options import StartOptions

    # vLLM's `run_server` does the same, but handles SIGTERM itself while the engine starts.
    decorate_logs("APIServer", skip_if_decorated=True)
    options = StartOptions.of(args)
    legacy_port = options.settings.legacy_port
    claims = [addresses.claim(args.host, port) for port in (args.port, legacy_port)]
    legacy = LegacyListener(args, legacy_port, lambda app: _announce(args, app))
    address, listener = setup_server(args, reuse_port=False)  # type: ignore[call-arg]
    cut_stalled(listener)
    replace(options, on_ready=legacy.prepare).put_on(args)
    stages.tell("Starting the engine")
    try:
        await run_server_worker(address, listener, args, **port_options(legacy.start))
    finally:
        await legacy.stop()
        for claimed in claims:
            claimed.close()
    return legacy.exit_code


def _announce(args: Namespace, app: "FastAPI") -> None:
    """Tell that the server is ready, at which addresses it listens, and what it keeps."""
    from emotion_llama_server.services import services_of
    from emotion_llama_server.start.banner import Place, banner

    stages.tell("Emotion-LLaMA is ready")
    if not log.is_json():
        print(banner(args, app), flush=True)
        return
    settings = services_of(app).settings
    place = Place.of(args, settings.legacy_port)
    logger.info("Emotion-LLaMA listens.", extra={"url": place.base, "legacy": place.legacy})
    if settings.data_dir is not None:
        kept = settings.model_dump(mode="json", include={"data_dir", "keep_days", "max_stored_gb"})
        logger.info("Uploads and results of batches are kept.", extra=kept)
