"""Runs the routers of deploy/routers as they are but for addresses, in front of two replicas."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx2

from devtools.paths import CHECKOUT

HOST = "127.0.0.1"
_FOLDER = CHECKOUT / "deploy/routers"
_PLACES = ("replica-1.example", "replica-2.example")

Router = Callable[[Path, list[int], int], list[str]]
"""Writes what a router needs into a folder, for the replicas' ports and its own port; returns the
command that starts it."""


def nginx(folder: Path, replicas: list[int], port: int) -> list[str]:
    ours, here = "listen 80", f"listen {HOST}:{port}"
    return nginx_command(folder, _adapted("nginx.conf", ":7889", replicas, ours, here))


def haproxy(folder: Path, replicas: list[int], port: int) -> list[str]:
    text = _adapted("haproxy.cfg", ":7889", replicas, "bind :80", f"bind {HOST}:{port}")
    (folder / "haproxy.cfg").write_text(text)
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


def envoy(folder: Path, replicas: list[int], port: int) -> list[str]:
    ours = "0.0.0.0, port_value: 80}"
    separator = ", port_value: 7889"
    text = _adapted("envoy.yaml", separator, replicas, ours, f"{HOST}, port_value: {port}}}")
    (folder / "envoy.yaml").write_text(text)
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]
    return ["envoy", "-c", str(folder / "envoy.yaml"), *flags]


def is_installed(router: Router) -> bool:
    return _program(router.__name__) is not None


@contextlib.contextmanager
def running(router: Router, folder: Path, replicas: list[int], port: int) -> Iterator[str]:
    """Run a router until the block ends; yield its address once it answers for the replicas."""
    name, *words = router(folder, replicas, port)
    program = _program(name)
    assert program is not None, f"{name} is not installed"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log)
    address = f"http://{HOST}:{port}"
    try:
        _wait(address, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def nginx_command(folder: Path, servers: str) -> list[str]:
    """Write a whole configuration around nginx's servers; return the command that starts it."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off;\n{places}{servers}\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Return an example with these texts replaced, each of which stands there once."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _program(name: str) -> str | None:
    """Return the path of a program, which may come from a Python package."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def _adapted(example: str, colon: str, ports: list[int], ours: str, here: str) -> str:
    """Return an example with the replicas' addresses and the router's own replaced."""
    text = (_FOLDER / example).read_text(encoding="utf-8")
    changes = {ours: here} | {
        f"{place}{colon}": f"{HOST}{colon.replace('7889', str(port))}"
        for place, port in zip(_PLACES, ports, strict=True)
    }
    return replaced(text, changes)


def _wait(address: str, log: Path) -> None:
    deadline = time.monotonic() + 10
    with httpx2.Client(base_url=address) as client:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if client.get("/readyz").status_code == 200:
                    return
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
