"""What cannot work is told in one sentence, before vLLM is imported."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import huggingface_hub
import pytest
from huggingface_hub.errors import RepositoryNotFoundError

from devtools.server import free_port
from emotion_llama_server.environment import StartError
from emotion_llama_server.start import arguments
from emotion_llama_server.start.addresses import check_addresses, claim
from emotion_llama_server.start.checks import check, check_certificate, check_model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("CHECKPOINT", "CHECKPOINT is a placeholder: replace it"),
        ("/no/such/folder", "there is no folder /no/such/folder; name that of a converted"),
        ("./checkpoint", "there is no folder"),
        ("checkpoint", "there is no folder checkpoint"),
        (__file__, "is a file; name the checkpoint's folder"),
    ],
)
def test_a_model_that_is_nothing_is_refused(model: str, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        check_model(model)


def test_a_folder_and_an_address_of_a_storage_are_left_to_the_engine(tmp_path: Path) -> None:
    check_model(str(tmp_path))
    check_model("s3://bucket/checkpoint")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx2.ConnectError("no route"), "request to Hugging.*ConnectError.* or the network"),
        (
            RepositoryNotFoundError(
                "404", response=httpx2.Response(404, request=httpx2.Request("GET", "http://hub"))
            ),
            "no repository nobody/nothing at Hugging Face",
        ),
    ],
)
def test_a_repository_that_cannot_be_had_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(StartError, match=reason):
        check_model("nobody/nothing")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Two certificates, each with its key."""
    return [make_certificate(tmp_path_factory.mktemp("tls")) for _ in range(2)]


def make_certificate(folder: Path, *options: str) -> tuple[str, str]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += options or ("-nodes",)
    made += ["-days", "1", "-subj", "/CN=x", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    return str(certificate), str(key)


@pytest.mark.parametrize("is_variable", [True, False])
def test_a_missing_file_of_keys_is_refused(
    clean_environment: pytest.MonkeyPatch, is_variable: bool
) -> None:
    if is_variable:
        clean_environment.setenv("EMOTION_LLAMA_API_KEY_FILE", "keyz")
    words = [] if is_variable else ["--api-key-file", "keyz"]
    with pytest.raises(StartError, match=r"--api-key-file: there is no file keyz\."):
        check(arguments.read(words))


def test_a_certificate_with_its_key_is_taken(pairs: list[tuple[str, str]]) -> None:
    check_certificate(*pairs[0], None)
    check_certificate(*pairs[0], pairs[1][0])
    check_certificate(None, None, None)


def test_a_certificate_with_another_ones_key_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(StartError, match="is not the key of"):
        check_certificate(pairs[0][0], pairs[1][1], None)


def test_a_certificate_that_cannot_be_used_is_refused(
    pairs: list[tuple[str, str]], tmp_path: Path
) -> None:
    certificate, key = pairs[0]
    with pytest.raises(StartError, match="--ssl-certfile: there is no file /no/file"):
        check_certificate("/no/file", key, None)
    with pytest.raises(StartError, match="--ssl-keyfile: there is no file /no/file"):
        check_certificate(certificate, "/no/file", None)
    with pytest.raises(StartError, match="--ssl-ca-certs: there is no file /no/file"):
        check_certificate(certificate, key, "/no/file")
    with pytest.raises(StartError, match="--ssl-keyfile also needs the certificate"):
        check_certificate(None, key, None)
    with pytest.raises(StartError, match="PEM"):
        check_certificate(__file__, key, None)
    locked = make_certificate(tmp_path, "-passout", "pass:secret")
    with pytest.raises(StartError, match="have no password"):
        check_certificate(*locked, None)


@contextlib.contextmanager
def listening() -> Iterator[int]:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield busy.getsockname()[1]


def test_a_port_of_another_program_is_told_with_its_flag() -> None:
    with listening() as port:
        reason = f"port {port} is in use by another program; .* --legacy-port N"
        with pytest.raises(StartError, match=reason):
            check_addresses("127.0.0.1", {"--port": free_port(), "--legacy-port": port})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_of_another_server_of_ours_is_told_as_that(host: str) -> None:
    told = pytest.raises(StartError, match="is in use by another Emotion-LLaMA server")
    with listening() as port, claim("127.0.0.1", port), told:
        check_addresses(host, {"--port": port})


def test_a_server_that_does_not_listen_yet_has_its_port_already() -> None:
    port = free_port()
    with claim("127.0.0.1", port), pytest.raises(StartError, match="another Emotion-LLaMA"):
        check_addresses("127.0.0.1", {"--port": port})


def test_the_same_port_twice_is_refused() -> None:
    with pytest.raises(StartError, match="--port and --legacy-port are both 7887; choose two"):
        check_addresses("127.0.0.1", {"--port": 7887, "--legacy-port": 7887})


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(StartError, match=f"--host: {host} is no address of this machine"):
        check_addresses(host, {"--port": free_port()})


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["CHECKPOINT"], "replace it"),
        (["--config", "no-such-config"], "emotion-llama-7b"),
        (["--port", "7001", "--legacy-port", "7001"], "both 7001"),
        (["--ssl-certfile", "/no/file"], "/no/file"),
        (["--log-level", "loud"], "--log-level"),
        (["--log-file", "/no/folder/log"], "--log-file"),
    ],
)
@pytest.mark.costly
def test_the_command_ends_with_2_and_one_sentence_before_vllm_is_imported(
    flags: list[str], reason: str
) -> None:
    command = [str(Path(sys.executable).with_name("emotion-llama")), "serve", *flags]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    seconds = time.monotonic() - started
    (line,) = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 2
    assert line.startswith("emotion-llama serve: ")
    assert reason in line
    assert seconds < 5, seconds  # about 1.5 where the machine is idle; vLLM alone takes 7
