"""Checks that both of the server's addresses are free, and reports who uses a taken one."""

import errno
import os
import socket

from emotion_llama_server.environment import StartError

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104
_HERE = ("127.0.0.1", "localhost", "::1")


def claim(host: str, port: int) -> socket.socket:
    """Reserve an address against other servers of this machine until the returned socket is closed.

    Ports are bound before the engine starts, but listen only after it: in between the kernel would
    let a second server bind them too. A name in Linux's abstract namespace ends with the process.

    Raises:
        OSError: another server of this project uses the address.
    """
    claimed = socket.socket(socket.AF_UNIX)
    try:
        claimed.bind(f"\0emotion-llama/{host}:{port}")
    except OSError:
        claimed.close()
        raise
    return claimed


def check_addresses(host: str, ports: dict[str, int]) -> None:
    """Refuse an address on which the server cannot listen.

    Args:
        host: the address of both ports.
        ports: each port by the flag that sets it.

    Raises:
        StartError: the host is no address of this machine, or a port is in use, not allowed for
            this user, or given twice.
    """
    if len(set(ports.values())) < len(ports):
        both, port = " and ".join(ports), next(iter(ports.values()))
        raise StartError(f"{both} are both {port}; choose two.")
    for flag, port in ports.items():
        try:
            _try(host, port)
        except OSError as error:
            raise StartError(_refusal(host, port, flag, error)) from error


def _try(host: str, port: int) -> None:
    """Bind the address for a moment, in the same way as vLLM's server."""
    claim(host, port).close()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _refusal(host: str, port: int, flag: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = "another Emotion-LLaMA server" if _is_claimed(host, port) else "another program"
        words = f"port {port} is in use by {holder}"
        return f"{words}; stop that, or choose another port with {flag} N."
    if error.errno == errno.EACCES:
        return f"port {port} is not allowed for this user; choose one above 1023 with {flag} N."
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"--host: {host} is no address of this machine ({reason})."


def _is_claimed(host: str, port: int) -> bool:
    """Return whether a server of this project uses the port, under any name of the host."""
    for name in {host, *_HERE, *_EVERYWHERE}:
        try:
            claim(name, port).close()
        except OSError:
            return True
    return False
