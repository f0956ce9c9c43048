"""Refuses a start that cannot work before vLLM is imported, with one sentence for each error."""

import os
import re
import ssl
from pathlib import Path

from emotion_llama_server.environment import StartError
from emotion_llama_server.start.addresses import check_addresses
from emotion_llama_server.start.arguments import Arguments, check_configuration

_REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_STAND_INS = ("CHECKPOINT", "DIR", "MODEL", "FOLDER")
"""Placeholders that documents use for the reader's own checkpoint."""
_HUB_SECONDS = 5


def check(wanted: Arguments) -> None:
    """Refuse a start that cannot work.

    Raises:
        StartError: the configuration, the model, a file or a port cannot be used.
    """
    check_configuration(wanted.config)
    if wanted.model is not None:
        check_model(wanted.model)
    check_readable("--api-key-file", wanted.api_key_file)
    check_certificate(wanted.ssl_certfile, wanted.ssl_keyfile, wanted.ssl_ca_certs)
    ports = {} if wanted.uds else {"--port": wanted.port}
    check_addresses(wanted.host, ports | {"--legacy-port": wanted.legacy_port})


def check_model(model: str) -> None:
    """Refuse a model that is neither a folder nor an available repository.

    Raises:
        StartError: the model is neither.
    """
    if Path(model).is_dir() or "://" in model:
        return
    if model in _STAND_INS:
        raise StartError(
            f"{model} is a placeholder: replace it by your checkpoint's folder. "
            "Without a model the demo's checkpoint is served."
        )
    if Path(model).is_file():
        raise StartError(f"{model} is a file; name the checkpoint's folder.")
    if not _REPOSITORY.fullmatch(model):
        raise StartError(
            f"there is no folder {model}; name that of a converted checkpoint, "
            "or a repository of Hugging Face as OWNER/NAME."
        )
    if os.environ.get("VLLM_USE_MODELSCOPE", "").lower() not in ("1", "true"):
        _check_repository(model)


def _check_repository(name: str) -> None:
    """Refuse a repository that is neither cached on this machine nor available at Hugging Face."""
    import huggingface_hub
    from httpx2 import HTTPError
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(huggingface_hub.try_to_load_from_cache(name, "config.json"), str):
        return
    missing = f"there is no folder {name}, and"
    try:
        huggingface_hub.HfApi().model_info(name, timeout=_HUB_SECONDS)
    except GatedRepoError as error:
        raise StartError(
            f"{missing} the repository {name} requires that you accept its terms; "
            "accept them on its page, and log in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise StartError(f"{missing} no repository {name} at Hugging Face.") from error
    except (HTTPError, OSError) as error:
        raise StartError(
            f"{missing} the request to Hugging Face for {name} failed "
            f"({type(error).__name__}): check the path, or the network."
        ) from error


def check_certificate(certificate: str | None, key: str | None, authorities: str | None) -> None:
    """Refuse TLS files that are missing, unreadable or do not belong together.

    Args:
        certificate: the file of `--ssl-certfile`.
        key: the file of `--ssl-keyfile`; if it is None, the certificate's file contains the key.
        authorities: the file of `--ssl-ca-certs`.

    Raises:
        StartError: a file cannot be used.
    """
    files = {"certfile": certificate, "keyfile": key, "ca-certs": authorities}
    for name, file in files.items():
        check_readable(f"--ssl-{name}", file)
    if certificate is None:
        if key is not None:
            raise StartError("--ssl-keyfile also needs the certificate: --ssl-certfile FILE.")
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=lambda: "")
        if authorities is not None:
            context.load_verify_locations(authorities)
    except (ssl.SSLError, OSError) as error:
        raise StartError(_tls_refusal(certificate, key, error)) from error


def check_readable(flag: str, file: str | None) -> None:
    """Refuse a flag's file that is missing or unreadable.

    Raises:
        StartError: the file cannot be opened.
    """
    if file is not None:
        try:
            Path(file).open("rb").close()
        except FileNotFoundError as error:
            raise StartError(f"{flag}: there is no file {file}.") from error
        except OSError as error:
            raise StartError(f"{flag}: {file} cannot be read ({error.strerror}).") from error


def _tls_refusal(certificate: str, key: str | None, error: OSError) -> str:
    reason = getattr(error, "reason", None) or "no PEM"
    if reason == "KEY_VALUES_MISMATCH":
        return f"--ssl-keyfile: {key or certificate} is not the key of {certificate}."
    return (
        f"--ssl-certfile: {certificate} with {key or 'the key in it'} cannot be used ({reason}); "
        "both must be PEM, and the key must have no password."
    )
