"""Runs an OpenID provider of one test, whose keys, tokens and answers the test chooses."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

AUDIENCE = "urn:emotion-llama"


@cache
def private_key(name: str, algorithm: str = "ES256") -> Any:
    """Make a key once for all tests; its name and algorithm identify it."""
    if algorithm.startswith("ES"):
        curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[algorithm]
        return ec.generate_private_key(curve())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def public_jwk(name: str, algorithm: str = "ES256", **fields: Any) -> dict[str, Any]:
    """Return a key as a provider publishes it."""
    public = private_key(name, algorithm).public_key()
    jwk = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
    return {**jwk, "kid": name, **fields}


class Provider:
    """Represents a provider on a port of this machine, with the key `k1` of ES256 at first."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                provider.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

        self.keys: list[dict[str, Any]] = [public_jwk("k1")]
        self.asked: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.answer_well
        self.is_over = threading.Event()
        self.scheme = "http"
        self._handler = Handler
        self.start()

    def start(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        serve = lambda: self._server.serve_forever(poll_interval=0.01)  # noqa: E731
        threading.Thread(target=serve, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on, and end the answers that still wait."""
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}

    def token(
        self, key: str = "k1", algorithm: str = "ES256", *, typ: str = "at+jwt", **claims: Any
    ) -> str:
        """Sign a token that is valid but for these claims.

        None leaves a claim out, and a whole number stands for a time in so many seconds from now.
        """
        valid = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": 0, "exp": 60}
        told = {name: value for name, value in (valid | claims).items() if value is not None}
        now = int(time.time())
        told |= {name: now + value for name, value in told.items() if isinstance(value, int)}
        headers = {"kid": key, "typ": typ}
        return jwt.encode(told, private_key(key, algorithm), algorithm, headers)

    def answer_well(self, request: BaseHTTPRequestHandler) -> None:
        is_discovery = request.path == "/.well-known/openid-configuration"
        send(request, json.dumps(self.discovery if is_discovery else {"keys": self.keys}).encode())

    def hang(self, request: BaseHTTPRequestHandler) -> None:
        """Keep the connection without answering."""
        self.is_over.wait(10)

    def drip(self, request: BaseHTTPRequestHandler) -> None:
        """Send a byte from time to time, so that no read takes long."""
        request.send_response(200)
        request.end_headers()
        while not self.is_over.wait(0.02):
            request.wfile.write(b" ")


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Answer a request of a provider."""
    request.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
