"""Reads the arguments of `emotion-llama serve` that are needed before vLLM is imported.

vLLM's own parser reads all arguments again later. The values read here serve the log and the checks
that end a start at once.
"""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emotion_llama_server.environment import StartError
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.settings import ENV_PREFIX

HOST = "127.0.0.1"
PORT = 7889
LEGACY_PORT = 7887
SHUTDOWN_SECONDS = 30

_FLAG = re.compile(r"--[\w-]+")
_LEVEL_VARIABLE = "VLLM_LOGGING_LEVEL"


class Arguments(BaseModel):
    """Holds the arguments that a start needs first, with their defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    config: str | None = None
    model: str | None = None
    """The model; None while it is unknown: the demo's, or one that follows other flags."""
    uds: str | None = None
    host: str = HOST
    port: int = Field(default=PORT, ge=0, le=65535)
    legacy_port: int = Field(default=LEGACY_PORT, ge=1, le=65535)
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_ca_certs: str | None = None
    api_key_file: str | None = None
    log_level: str | None = None
    log_format: str = "text"
    log_file: Path | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}; --help lists the flags.")


def normalise(argv: Sequence[str]) -> list[str]:
    """Rewrite the flags in the form that vLLM's parser expects.

    `--config=NAME` becomes two words, the name of a shipped configuration becomes its path, and a
    log level is written in capitals.
    """
    words: list[str] = []
    for word in argv:
        flag, equals, value = word.partition("=")
        words += [flag, value] if equals and flag in ("--config", "--log-level") else [word]
    for index, word in enumerate(words[:-1], start=1):
        if word == "--config":
            words[index] = _path_of(words[index])
        elif word in ("--log-level", "--log_level"):
            words[index] = words[index].upper()
    return words


def read(argv: Sequence[str]) -> Arguments:
    """Read the command line, the configuration file that it names, and the environment.

    Raises:
        StartError: a flag has no value or one of the wrong type.
    """
    given = _flags(argv)
    settings = {**_environment(), **_configuration(given.get("config")), **given}
    try:
        return Arguments.model_validate(settings)
    except ValidationError as error:
        found = error.errors()[0]
        flag = str(found["loc"][0]).replace("_", "-")
        raise StartError(f"--{flag}: {found['msg']}; --help lists the flags.") from error


def check_configuration(name: str | None) -> None:
    """Refuse a `--config` that is not a file of settings.

    Raises:
        StartError: the file does not exist, or is not readable as YAML.
    """
    if name is None:
        return
    if not Path(name).is_file():
        shipped = ", ".join(sorted({path.stem for path in _shipped().values()}))
        raise StartError(f"--config: there is no file {name}; this package ships {shipped}.")
    try:
        settings = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise StartError(f"--config: {name} cannot be read as YAML ({words}).") from error
    if not isinstance(settings, dict):
        raise StartError(f"--config: {name} has no settings; write one per line, as `seed: 3`.")


def _flags(argv: Sequence[str]) -> dict[str, str]:
    """Return the flags in `Arguments`, and the model if the command line begins with it."""
    parser = _Parser(prog="emotion-llama serve", add_help=False, allow_abbrev=False)
    for name in Arguments.model_fields:
        parser.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS)
    dashed = [_FLAG.sub(lambda flag: flag[0].replace("_", "-"), word, count=1) for word in argv]
    given, _ = parser.parse_known_args(
        [new if old.startswith("--") else old for old, new in zip(argv, dashed, strict=True)]
    )
    model = {"model": argv[0]} if argv and not argv[0].startswith("-") else {}
    return vars(given) | model


def _configuration(name: str | None) -> Mapping[str, Any]:
    """Return a configuration's settings; none if `check_configuration` refuses it."""
    try:
        settings = yaml.safe_load(Path(name).read_text(encoding="utf-8")) if name else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    if not isinstance(settings, dict):
        return {}
    return {str(key).replace("-", "_"): value for key, value in settings.items()}


def _environment() -> dict[str, str]:
    variables = {name: f"{ENV_PREFIX}{name.upper()}" for name in ("legacy_port", "log_format")}
    variables |= {"log_file": f"{ENV_PREFIX}LOG_FILE", "log_level": _LEVEL_VARIABLE}
    variables |= {"api_key_file": f"{ENV_PREFIX}API_KEY_FILE"}
    return {name: os.environ[key] for name, key in variables.items() if os.environ.get(key)}


def _path_of(configuration: str) -> str:
    """Return the path of a shipped configuration; any other path is returned unchanged."""
    if Path(configuration).is_file():
        return configuration
    return str(_shipped().get(configuration, configuration))


def _shipped() -> dict[str, Path]:
    """Return the shipped configurations by their names with and without the ending."""
    paths = demo_files.configs()
    return {path.stem: path for path in paths} | {path.name: path for path in paths}
