"""Fetching from hosts that lie about their address, and origins that misbehave."""

import asyncio
import contextlib
import errno
import gzip
import io
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpcore2
import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emotion_llama_vllm.media.errors import MediaError, MediaTooLarge, ServerBusy
from emotion_llama_vllm.media.read import http
from emotion_llama_vllm.media.read.http import Fetcher
from emotion_llama_vllm.media.read.threads import Threads, files

CLIP = bytes(range(256)) * 40
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
PUBLIC = "93.184.216.34"
HOST = "clips.example"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """A server that sends what it is told to, whether or not that is HTTP."""

    port: int = 0
    answers: dict[str, bytes | Serve] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return f"{HOST}:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(
        self, serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> AsyncIterator[None]:
        """Serve, and see to it that no client leaves a connection open."""
        tasks: set[asyncio.Task[None] | None] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())
            self.connections += 1
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()
                await writer.wait_closed()

        server = await asyncio.start_server(connected, host, 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()
        async with asyncio.timeout(2):
            await asyncio.gather(*filter(None, tasks))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        answer = self.answers[self.requests[-1].split()[1].decode()]
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(reader, writer)

    async def wait(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say nothing more until the client has hung up."""
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.hung_up.set()

    async def drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + LENGTH % 1000)
        while not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def never_end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        while not reader.at_eof():
            writer.write(CLIP)
            await writer.drain()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    async with origin.listening(origin.answer):
        yield origin


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for HOST that issued itself, and its key, in one file."""
    pem = tmp_path_factory.mktemp("certificate") / "pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem]
    name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    written = subprocess.run(
        ["openssl", "req", "-x509", *key, *name, "-days", "2"], check=True, capture_output=True
    )
    pem.write_bytes(pem.read_bytes() + written.stdout)
    return pem


@pytest.fixture
async def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    """The same behind TLS, trusted for HOST."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    http._trusted.cache_clear()
    origin = Origin()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: origin.names.append(name)
    async with origin.listening(origin.answer, tls=context):
        yield origin
    http._trusted.cache_clear()


class Names:
    """A resolver that gives one answer after the other, the last one from then on."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch, origin: Origin) -> list[str]:
    """What is dialled; the origin answers in its place."""
    connect = getattr(httpcore2.AnyIOBackend, "connect_tcp")  # noqa: B009 pyright sees no method
    addresses: list[str] = []

    async def connect_here(self: object, host: str, port: int, **kwargs: float) -> object:
        addresses.append(host)
        return await connect(self, "127.0.0.1", origin.port, **kwargs)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect_here)
    return addresses


@pytest.fixture
def fetcher(origin: Origin) -> Fetcher:
    """Fetches from the origin alone, which is on this machine."""
    return Fetcher(
        domains=[origin.name],
        private_hosts=[HOST],
        max_bytes=2**20,
        seconds=5,
        resolve=Names(clips_example=[["127.0.0.1"]]),
    )


def public(fetcher: Fetcher, *answers: Sequence[str], domain: str = HOST) -> tuple[Fetcher, Names]:
    """The same for a host without privileges at `domain`, with these addresses."""
    names = Names()
    names.answers[domain] = list(answers)
    written = f"[{domain}]" if ":" in domain else domain
    return replace(fetcher, domains=[written], private_hosts=[], resolve=names), names


async def body(fetcher: Fetcher, url: str) -> bytes:
    into = io.BytesIO()
    await fetcher.fetch(url, into)
    return into.getvalue()


async def refusal(fetcher: Fetcher, url: str, kind: type[MediaError] = MediaError) -> str:
    """Why `url` is refused, in a sentence that tells no address and no query."""
    with pytest.raises(MediaError) as caught:
        await body(fetcher, url)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.endswith(".")
    assert "secret" not in message
    asked = (urlsplit(url).hostname or "") if "[" not in url else url
    for address in re.findall(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*::[0-9a-f:]*", message):
        assert address in asked
    return message


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "target", "host"),
        [
            ("http://clips.example/a.mp4", "/a.mp4", "clips.example"),
            ("HTTP://CLIPS.example./a.mp4", "/a.mp4", "clips.example"),
            ("http://clips.example", "/", "clips.example"),
            ("http://clips.example:80/", "/", "clips.example"),
            ("http://clips.example?a=b", "/?a=b", "clips.example"),
            ("http://clips.example/a?b=/?%2F+|'#c?d", "/a?b=/?%2F+|'", "clips.example"),
            ("http://clips.example/é%20@:/..", "/%C3%A9%20@:/..", "clips.example"),
            ("http://clips.example:443/a", "/a", "clips.example:443"),
        ],
    )
    async def test_the_request_is_built_from_what_was_checked(
        self,
        fetcher: Fetcher,
        origin: Origin,
        dialled: list[str],
        url: str,
        target: str,
        host: str,
    ) -> None:
        origin.answers[target] = OK + LENGTH % len(CLIP) + CLIP
        allowed, names = public(fetcher, [PUBLIC])
        assert await body(allowed, url) == CLIP
        assert (names.asked, dialled) == ([HOST], [PUBLIC])
        line, *headers = origin.requests[0].decode().rstrip().split("\r\n")
        assert line == f"GET {target} HTTP/1.1"
        assert sorted(headers) == [
            "Accept-Encoding: identity",
            "Accept: */*",
            "Connection: close",
            f"Host: {host}",
            "User-Agent: emotion-llama-server",
        ]

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "clips.example/a",
            "//clips.example/a",
            "ftp://clips.example/a",
            "file:///etc/passwd",
            "httpſ://clips.example/a",
            "http:clips.example/a",
            "http:/clips.example/a",
            "http:///clips.example/a",
            "http://user@clips.example/a",
            "http://user:secret@clips.example/a",
            "http://clips.example@evil.example/a",
            "http://clips.example:80@evil.example/a",
            "http://clips.example:@evil.example/a",
            "http://evil.example\\@clips.example/a",
            "http:\\\\clips.example/a",
            "http://clips.example/a\\b",
            "http://clips.example /a",
            "http://clips.example/a b",
            " http://clips.example/a",
            "http://clips.example/a\n",
            "ht\ntp://clips.example/a",
            "http://clips.ex\tample/a",
            "http://clips.example/a\r\nHost: evil.example",
            "http://clips.example/a\x00",
            "http://clips.example/a\x7f",
            "http://clips.example/a\u2028",
            "http://clips.example/\ud800",
            "http://clips.example:/a",
            "http://clips.example:0/a",
            "http://clips.example:65536/a",
            "http://clips.example:８０/a",
            "http://clips.example:+80/a",
            "http://clips.example:80:80/a",
            "http://clips%2eexample/a",
            "http://clips.example%00/a",
            "http://clips..example/a",
            "http://clips.example../a",
            "http://.clips.example/a",
            "http://clips.example;evil.example/a",
            "http://clips\u00ad.example/a",
            f"http://{'a' * 64}.example/a",
            f"http://{'a.' * 127}example/a",
            "http://[clips.example]/a",
            "http://[::1/a",
            "http://[::1]evil.example/a",
            "http://evil.example[::1]/a",
            "http://[::1%25lo]/a",
            "http://[fe80::1%lo]/a",
            "http://[127.0.0.1]/a",
            "http://::1/a",
            # What resolvers take for 127.0.0.1, and `ipaddress` does not.
            "http://2130706433/a",
            "http://017700000001/a",
            "http://0x7f000001/a",
            "http://0x7f.1/a",
            "http://0177.0.0.1/a",
            "http://127.1/a",
            "http://127.0.1/a",
            "http://127.0.0.01/a",
            "http://127.0.0.0x1/a",
            "http://127.0.0.256/a",
            "http://127.0.0.1.1/a",
            "http://１２７.0.0.1/a",
            "http://①②⑦.0.0.1/a",
        ],
    )
    async def test_what_could_be_read_in_two_ways_is_refused(
        self, fetcher: Fetcher, url: str
    ) -> None:
        everywhere, names = public(fetcher)
        reason = await refusal(replace(everywhere, domains=[HOST, "evil.example", "[::1]"]), url)
        assert reason == "The clip's URL must read http(s)://host/path."
        assert not names.asked


PIECES = ["clips", "evil", ".example", "example", "127.0.0.1", "0x7f.1", "[::1]", "bücher", "Ü"]
PIECES += ["http", "https", "ſ", "。", ".", "-", ":", "/", "//", "\\", "@", "?", "#", ";", "&", "%"]
PIECES += ["%2e", "%00", ":80", ":443", ":8000", "０", "[", "]", "\u00ad", "\t", "\n", " "]
PIECES += ["clips.example", "CLIPS.EXAMPLE", "bücher.example:8000"]


class TestDomains:
    @pytest.mark.parametrize(
        ("domain", "url"),
        [
            ("clips.example", "http://clips.example/"),
            ("clips.example", "https://clips.example/"),
            ("clips.example", "http://clips.example:443/"),
            ("CLIPS.Example.", "http://clips.example/"),
            ("clips.example:8000", "http://CLIPS.EXAMPLE.:8000/"),
            ("clips.example:443", "https://clips.example/"),
            ("bücher.example", "http://xn--bcher-kva.example/"),
            ("xn--bcher-kva.example", "http://BÜCHER.example/"),
            ("bücher.example", "http://bücher。example/"),
            ("my_bucket.example", "http://my_bucket.example/"),
            ("8.8.8.8", "http://8.8.8.8/"),
            ("[2001:4860:4860::8888]", "http://[2001:4860:4860:0::8888]/"),
            ("[2001:4860:4860::8888]:8000", "http://[2001:4860:4860::8888]:8000/"),
        ],
    )
    async def test_an_entry_allows(self, fetcher: Fetcher, domain: str, url: str) -> None:
        names = Names()
        reason = await refusal(replace(fetcher, domains=[domain], resolve=names), url)
        assert "could not be fetched" in reason
        assert len(names.asked) == 1

    @pytest.mark.parametrize(
        ("domain", "url", "host"),
        [
            ("clips.example", "http://evil.example/?secret", "evil.example"),
            ("clips.example", "http://a.clips.example/", "a.clips.example"),
            ("clips.example", "http://example/", "example"),
            ("clips.example", "http://clips.example.evil.example/", "clips.example.evil.example"),
            ("clips.example", "http://clips.example:8000/", "clips.example"),
            ("clips.example:8000", "http://clips.example/", "clips.example"),
            ("clips.example:443", "http://clips.example/", "clips.example"),
            ("bücher.example", "http://bucher.example/", "bucher.example"),
            ("clips.example", "http://clіps.example/", "xn--clps-m9d.example"),
            ("2130706433", "http://127.0.0.1/", "127.0.0.1"),
            ("127.1", "http://127.0.0.1/", "127.0.0.1"),
            ("[::ffff:127.0.0.1]", "http://127.0.0.1/", "127.0.0.1"),
            ("http://clips.example", "http://clips.example/", "clips.example"),
            ("*.example", "http://clips.example/", "clips.example"),
            ("*", "http://clips.example/", "clips.example"),
            ("", "http://clips.example/", "clips.example"),
            ("clips.example:0", "http://clips.example/", "clips.example"),
        ],
    )
    async def test_nothing_else_is_asked_for(
        self, fetcher: Fetcher, domain: str, url: str, host: str
    ) -> None:
        strict, names = public(fetcher)
        strict = replace(strict, domains=[domain], private_hosts=[host])
        assert await refusal(strict, url) == (
            f"This server does not fetch from {host!r}; "
            "its operator can allow a domain with --allowed-media-domains."
        )
        assert not names.asked

    @settings(max_examples=300, deadline=None, database=None)
    @given(
        st.tuples(
            st.sampled_from(["http://", "https://", "http:", "//", ""]),
            st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
            st.sampled_from(["", ":80", ":443", ":8000", "@clips.example", "/clips.example"]),
            st.sampled_from(["", "/", "/a?b#c", "#@clips.example/", "?@clips.example/"]),
        ).map("".join)
    )
    @example("http://clips.example")
    @example("http://clips.example@evil.example")
    @example("https://BÜCHER。example.:8000")
    def test_whoever_reads_the_url_sees_an_allowed_host(self, url: str) -> None:
        names = Names()
        domains = ["clips.example", "bücher.example:8000"]
        fetcher = Fetcher(domains, [], max_bytes=1, seconds=5, resolve=names)
        with pytest.raises(MediaError):
            asyncio.run(body(fetcher, url))
        assert set(names.asked) <= {"clips.example", "xn--bcher-kva.example"}
        for host in names.asked:
            assert httpx2.URL(url).raw_host.decode().removesuffix(".") == host
            seen = (urlsplit(url).hostname or "").removesuffix(".")
            assert seen.encode("idna").decode() == host


NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


class TestAddresses:
    @pytest.mark.parametrize("address", NOT_PUBLIC)
    async def test_one_that_is_not_public_is_refused_among_others(
        self, fetcher: Fetcher, dialled: list[str], address: str
    ) -> None:
        for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
            strict, _ = public(fetcher, addresses)
            assert await refusal(strict, "http://clips.example/a?secret") == (
                "'clips.example' has an address that is not public; "
                "the server's operator can allow it with --allow-private-media-host."
            )
        assert not dialled

    @pytest.mark.parametrize(
        "address",
        ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:7f00:1"],
    )
    async def test_a_host_that_is_an_address_is_no_exception(
        self, fetcher: Fetcher, dialled: list[str], address: str
    ) -> None:
        strict, _ = public(fetcher, [address], domain=address)
        reason = await refusal(strict, f"http://{strict.domains[0]}/")
        assert "--allow-private-media-host" in reason
        assert not dialled

    @pytest.mark.parametrize(
        "address",
        [PUBLIC, "8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:4860:4860::8888", "2a00:1450::1"],
    )
    async def test_a_public_one_is_dialled(
        self, fetcher: Fetcher, origin: Origin, dialled: list[str], address: str
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        assert await body(public(fetcher, [address])[0], "http://clips.example/") == b"x"
        assert dialled == [address]

    @pytest.mark.parametrize(
        ("entry", "port"),
        [("clips.example", 80), ("CLIPS.example.", 8000), ("clips.example:8000", 8000)],
    )
    @pytest.mark.parametrize(
        "address", ["127.0.0.1", "10.0.0.1", "100.64.0.1", "::1", "fd00::1", "64:ff9b::8.8.8.8"]
    )
    async def test_a_private_host_may_have_a_private_one(
        self,
        fetcher: Fetcher,
        origin: Origin,
        dialled: list[str],
        entry: str,
        port: int,
        address: str,
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        lenient = replace(
            fetcher,
            domains=["clips.example", "clips.example:8000"],
            private_hosts=[entry],
            resolve=Names(clips_example=[[address]]),
        )
        assert await body(lenient, f"http://clips.example:{port}/") == b"x"
        assert len(dialled) == 1

    @pytest.mark.parametrize("entry", ["clips.example:8000", "a.clips.example", "example", ""])
    async def test_another_private_host_does_not(self, fetcher: Fetcher, entry: str) -> None:
        strict, _ = public(fetcher, ["10.0.0.1"])
        reason = await refusal(replace(strict, private_hosts=[entry]), "http://clips.example/")
        assert "--allow-private-media-host" in reason

    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0",
            "224.0.0.1",
            "169.254.169.254",
            "::",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
            "fe80::1",
            "fe80::1%1",
            "ff02::1",
        ],
    )
    async def test_some_are_never_dialled_for_a_name(
        self, fetcher: Fetcher, dialled: list[str], address: str
    ) -> None:
        for addresses in ([address], ["10.0.0.1", address]):
            strict, _ = public(fetcher, addresses)
            reason = await refusal(replace(strict, private_hosts=[HOST]), "http://clips.example/")
            assert reason == ("'clips.example' has an address that this server never fetches from.")
        assert not dialled

    async def test_a_link_local_one_can_be_named_as_itself(
        self, fetcher: Fetcher, origin: Origin, dialled: list[str]
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        lenient, _ = public(fetcher, ["169.254.1.2"], domain="169.254.1.2")
        lenient = replace(lenient, private_hosts=["169.254.1.2"])
        assert await body(lenient, "http://169.254.1.2/") == b"x"
        assert dialled == ["169.254.1.2"]

    async def test_they_are_tried_in_order(self, fetcher: Fetcher, origin: Origin) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        names = Names(clips_example=[["127.0.0.2", "127.0.0.3", "127.0.0.1"]])
        assert await body(replace(fetcher, resolve=names), f"http://{origin.name}/") == b"x"
        assert origin.connections == 1

    async def test_a_silent_one_leaves_time_for_the_next(
        self, fetcher: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        connect = asyncio.get_running_loop().create_connection

        async def connect_or_wait(
            factory: object, host: str, port: int, **kwargs: object
        ) -> object:
            if host == "127.0.0.2":
                await asyncio.sleep(60)
            return await connect(factory, host, port, **kwargs)  # type: ignore[arg-type, call-overload]

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect_or_wait)
        names = Names(clips_example=[["127.0.0.2", "127.0.0.1"]])
        hasty = replace(fetcher, seconds=0.6, resolve=names)
        assert await body(hasty, f"http://{origin.name}/") == b"x"

    async def test_the_system_is_asked_by_default(self, origin: Origin) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        for host in ("localhost", "127.0.0.1"):
            strict = Fetcher([f"{host}:{origin.port}"], [], max_bytes=9, seconds=5)
            url = f"http://{host}:{origin.port}/"
            assert "not public" in await refusal(strict, url)
            assert await body(replace(strict, private_hosts=[host]), url) == b"x"

    async def test_an_ipv6_origin_is_fetched_from(self) -> None:
        origin = Origin()
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        async with origin.listening(origin.answer, host="::1"):
            name = f"[::1]:{origin.port}"
            strict = Fetcher([name], [], max_bytes=9, seconds=5)
            assert "not public" in await refusal(strict, f"http://{name}/")
            assert await body(replace(strict, private_hosts=[name]), f"http://{name}/") == b"x"
        assert b"Host: " + name.encode() in origin.requests[-1]


class TestRebinding:
    async def test_what_was_checked_is_dialled_without_asking_again(
        self, fetcher: Fetcher, origin: Origin, dialled: list[str]
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        rebinding, names = public(fetcher, [PUBLIC], ["127.0.0.1"])
        assert await body(rebinding, "http://clips.example/") == b"x"
        assert (names.asked, dialled) == ([HOST], [PUBLIC])

    async def test_each_hop_is_checked_anew(
        self, fetcher: Fetcher, origin: Origin, dialled: list[str]
    ) -> None:
        origin.answers["/"] = redirect("/again")
        rebinding, names = public(fetcher, [PUBLIC], ["127.0.0.1"])
        assert "not public" in await refusal(rebinding, "http://clips.example/")
        assert (names.asked, dialled) == ([HOST, HOST], [PUBLIC])
        assert origin.connections == 1


def redirect(location: str, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n"
    return head.encode() + LENGTH % 0


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_are_followed(self, fetcher: Fetcher, origin: Origin, status: int) -> None:
        origin.answers["/a/b"] = redirect("../c?d", status)
        origin.answers["/c?d"] = redirect(f"//{origin.name}/é", status)
        origin.answers["/%C3%A9"] = redirect(f"http://{origin.name}/clip#e", status)
        origin.answers["/clip"] = OK + LENGTH % len(CLIP) + CLIP
        assert await body(fetcher, f"http://{origin.name}/a/b") == CLIP
        assert len(origin.requests) == 4
        assert b"cookie" not in b"".join(origin.requests).lower()
        assert isinstance(fetcher.resolve, Names)
        assert fetcher.resolve.asked == [HOST] * 4

    async def test_but_not_for_ever(self, fetcher: Fetcher, origin: Origin) -> None:
        origin.answers["/"] = redirect("/")
        assert "redirects over 3 times" in await refusal(fetcher, f"http://{origin.name}/")
        assert len(origin.requests) == 4

    @pytest.mark.parametrize(
        ("location", "reason"),
        [
            ("http://localhost/", "does not fetch from 'localhost'"),
            ("http://127.0.0.1:22/", "does not fetch from '127.0.0.1'"),
            ("http://169.254.169.254/?secret", "does not fetch from '169.254.169.254'"),
            ("http://clips.example:22/", "does not fetch from 'clips.example'"),
            ("https://clips.example/", "does not fetch from 'clips.example'"),
            ("//evil.example", "does not fetch from 'evil.example'"),
            ("http://inner.example/", "'inner.example' has an address that is not public"),
            ("file:///etc/passwd", "must read http"),
            ("data:,x", "must read http"),
            ("javascript:x", "must read http"),
            ("http://2130706433/", "must read http"),
            ("http://user:secret@clips.example/", "must read http"),
            ("\\\\evil.example\\", "must read http"),
            ("/a\tb", "must read http"),
            ("/a b", "must read http"),
            ("http://[::1/", "must read http"),
        ],
    )
    async def test_lead_nowhere_else(
        self, fetcher: Fetcher, origin: Origin, location: str, reason: str
    ) -> None:
        origin.answers["/"] = redirect(location)
        names = Names(clips_example=[["127.0.0.1"]], inner_example=[["10.0.0.1"]])
        strict = replace(fetcher, domains=[origin.name, "inner.example"], resolve=names)
        with pytest.raises(MediaError, match=reason) as caught:
            await body(strict, f"http://{origin.name}/")
        assert "secret" not in str(caught.value)
        assert "10.0.0.1" not in str(caught.value)
        assert origin.connections == 1

    async def test_may_leave_https_where_the_domain_may(
        self, fetcher: Fetcher, origin: Origin, secure: Origin
    ) -> None:
        secure.answers["/"] = redirect(f"http://{origin.name}/clip")
        origin.answers["/clip"] = OK + LENGTH % 1 + b"x"
        both = replace(fetcher, domains=[secure.name, origin.name])
        assert await body(both, f"https://{secure.name}/") == b"x"
        only = replace(fetcher, domains=[secure.name])
        assert "does not fetch from" in await refusal(only, f"https://{secure.name}/")

    async def test_need_a_location(self, fetcher: Fetcher, origin: Origin) -> None:
        origin.answers["/"] = b"HTTP/1.1 302 Found\r\n" + LENGTH % 0
        assert "status 302" in await refusal(fetcher, f"http://{origin.name}/")


class TestAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            OK + LENGTH % len(CLIP) + CLIP,
            OK + LENGTH % len(CLIP) + CLIP + b"more than was said",
            OK + b"\r\n" + CLIP,
            b"HTTP/1.0 200 OK\r\n\r\n" + CLIP,
            OK + b"Content-Encoding: Identity\r\n\r\n" + CLIP,
            OK + b"Content-Encoding: aws-chunked\r\n\r\n" + CLIP,
            OK + b"Content-Encoding:\r\n\r\n" + CLIP,
            OK + b"Content-Encoding: AWS-Chunked, identity\r\n\r\n" + CLIP,
            OK + b"Content-Encoding: aws-chunked\r\nContent-Encoding: \r\n\r\n" + CLIP,
            OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(CLIP), CLIP),
            b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + LENGTH % len(CLIP) + CLIP,
        ],
    )
    async def test_a_body_is_written(self, fetcher: Fetcher, origin: Origin, answer: bytes) -> None:
        origin.answers["/"] = answer
        exact = replace(fetcher, max_bytes=len(CLIP))
        assert await body(exact, f"http://{origin.name}/") == CLIP

    CUT_OFF = "The clip's URL was cut off before its end; try again."
    FAILED = "The clip's URL could not be fetched; check host and path."
    EMPTY = "The clip is empty: its URL has no bytes."
    ENCODED = "The clip's URL must send the clip without a content encoding."

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (OK + LENGTH % (len(CLIP) + 1) + CLIP, CUT_OFF),
            (OK + LENGTH % 1, CUT_OFF),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nshort", CUT_OFF),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", CUT_OFF),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", CUT_OFF),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000, CUT_OFF),
            (OK + LENGTH % 0, EMPTY),
            (OK + b"\r\n", EMPTY),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", EMPTY),
            (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(CLIP), ENCODED),
            (OK + b"Content-Encoding: br\r\n\r\n" + CLIP, ENCODED),
            (OK + b"Content-Encoding: aws-chunked,gzip\r\n\r\n" + CLIP, ENCODED),
            (OK + b"Transfer-Encoding: gzip\r\n\r\n" + gzip.compress(CLIP), FAILED),
            (OK + b"X: " + b"x" * 300_000 + b"\r\n\r\n" + CLIP, FAILED),
            (OK + b"X: x\r\n" * 100_000 + b"\r\n" + CLIP, FAILED),
            (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", FAILED),
            (OK + b"Content-Length: -1\r\n\r\nx", FAILED),
            (OK + b"Content-Length: 1e3\r\n\r\nx", FAILED),
            (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx", FAILED),
            (b"SSH-2.0-OpenSSH_9.2\r\n", FAILED),
            (b"HTTP/1.1", FAILED),
            (b"", FAILED),
            (CLIP, FAILED),
        ],
    )
    async def test_a_lie_is_refused(
        self, fetcher: Fetcher, origin: Origin, answer: bytes, reason: str
    ) -> None:
        origin.answers["/?secret"] = answer
        assert await refusal(fetcher, f"http://{origin.name}/?secret") == reason

    @pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 401, 404, 407, 500, 999])
    async def test_another_status_is_refused(
        self, fetcher: Fetcher, origin: Origin, status: int
    ) -> None:
        origin.answers["/"] = b"HTTP/1.1 %d No\r\n" % status + LENGTH % len(CLIP) + CLIP
        reason = await refusal(fetcher, f"http://{origin.name}/")
        assert reason == f"The clip's URL answered with status {status}."

    async def test_too_long_a_body_is_refused_before_it_comes(
        self, fetcher: Fetcher, origin: Origin
    ) -> None:
        async def announce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(OK + LENGTH % (2**20 + 1))
            await origin.wait(reader, writer)

        origin.answers["/"] = announce
        reason = await refusal(fetcher, f"http://{origin.name}/", MediaTooLarge)
        assert reason == "The clip is over 1 MiB, the most that this server takes."
        await asyncio.wait_for(origin.hung_up.wait(), 2)

    @pytest.mark.parametrize(("cap", "said"), [(10485, "0.01"), (64 * 2**20, "64")])
    async def test_the_cap_is_told_as_it_was_given(
        self, fetcher: Fetcher, origin: Origin, cap: int, said: str
    ) -> None:
        origin.answers["/"] = OK + LENGTH % 10**12
        capped = replace(fetcher, max_bytes=cap)
        reason = await refusal(capped, f"http://{origin.name}/", MediaTooLarge)
        assert f"over {said} MiB" in reason

    async def test_a_body_without_end_is_capped(self, fetcher: Fetcher, origin: Origin) -> None:
        origin.answers["/"] = origin.never_end
        into = io.BytesIO()
        with pytest.raises(MediaTooLarge) as caught:
            await fetcher.fetch(f"http://{origin.name}/", into)
        assert caught.value.status == 413
        assert len(into.getvalue()) <= 2**20

    async def test_a_bomb_never_inflates(self, fetcher: Fetcher, origin: Origin) -> None:
        bomb = gzip.compress(bytes(2**24))
        origin.answers["/"] = OK + b"Content-Encoding: gzip\r\n" + LENGTH % len(bomb) + bomb
        into = io.BytesIO()
        with pytest.raises(MediaError, match="content encoding"):
            await fetcher.fetch(f"http://{origin.name}/", into)
        assert not into.getvalue()
        # Each of several headers counts.
        header = b"Content-Encoding: gzip\r\nContent-Encoding: identity\r\n"
        origin.answers["/"] = OK + header + LENGTH % len(bomb) + bomb
        with pytest.raises(MediaError, match="content encoding"):
            await fetcher.fetch(f"http://{origin.name}/", into)
        assert not into.getvalue()


class TestDeadline:
    async def continue_for_ever(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while not reader.at_eof():
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            await writer.drain()

    async def drip_headers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(OK)
        while not reader.at_eof():
            writer.write(b"X: x\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def drip_chunks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while not reader.at_eof():
            writer.write(b"1\r\nx\r\n" * 1000)
            await writer.drain()

    @pytest.mark.parametrize(
        "how", ["drip", "wait", "never_end", "continue_for_ever", "drip_headers", "drip_chunks"]
    )
    async def test_cuts_off(self, fetcher: Fetcher, origin: Origin, how: str) -> None:
        origin.answers["/"] = getattr(origin, how, None) or getattr(self, how)
        hasty = replace(fetcher, seconds=0.25, max_bytes=2**40)
        begun = asyncio.get_running_loop().time()
        reason = await refusal(hasty, f"http://{origin.name}/")
        assert reason == "Fetching the clip took over 0.25 s."
        assert asyncio.get_running_loop().time() - begun < 1

    async def test_leaves_others_their_turn(self, fetcher: Fetcher, origin: Origin) -> None:
        origin.answers["/"] = self.drip_chunks
        hasty = replace(fetcher, seconds=0.25)
        task, turns = asyncio.create_task(refusal(hasty, f"http://{origin.name}/")), 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 1000

    async def test_holds_for_all_hops_together(self, fetcher: Fetcher, origin: Origin) -> None:
        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.2)
            writer.write(redirect("/"))

        origin.answers["/"] = stall
        reason = await refusal(replace(fetcher, seconds=0.3), f"http://{origin.name}/")
        assert "took over 0.3 s" in reason
        assert len(origin.requests) == 2

    async def test_holds_for_looking_up(self, fetcher: Fetcher, origin: Origin) -> None:
        async def stall(host: str, port: int) -> Sequence[str]:
            await asyncio.sleep(60)
            return []

        slow = replace(fetcher, seconds=0.1, resolve=stall)
        assert "took over 0.1 s" in await refusal(slow, f"http://{origin.name}/")

    async def test_a_resolver_that_hangs_holds_up_nobody_else(
        self, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a slow name server does: every thread that asks it is stuck."""
        goes_on = threading.Event()
        monkeypatch.setattr(http, "names", Threads("threads for names", 1, wait_seconds=0.2))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: goes_on.wait())
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        stuck = Fetcher([HOST], [], max_bytes=9, seconds=0.5)
        asked = asyncio.ensure_future(refusal(stuck, f"http://{HOST}/"))
        try:
            await asyncio.sleep(0.1)
            assert "stuck" in await refusal(stuck, f"http://{HOST}/", ServerBusy)
            async with asyncio.timeout(5):
                assert await asyncio.to_thread(lambda: 1) == 1
                assert await files.run(lambda: 1) == 1
                assert "took over 0.5 s" in await asked
        finally:
            goes_on.set()

    async def test_holds_for_tls(self, fetcher: Fetcher) -> None:
        silent = Origin()
        async with silent.listening(silent.wait):
            hasty = replace(fetcher, seconds=0.2, domains=[silent.name])
            assert "took over 0.2 s" in await refusal(hasty, f"https://{silent.name}/")
            await asyncio.wait_for(silent.hung_up.wait(), 2)


class TestCancelling:
    @pytest.mark.parametrize("head", [b"", OK, OK + LENGTH % 1000 + b"some"])
    async def test_hangs_up_at_once(self, fetcher: Fetcher, origin: Origin, head: bytes) -> None:
        reached = asyncio.Event()

        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(head)
            reached.set()
            await origin.wait(reader, writer)

        origin.answers["/"] = stall
        task = asyncio.create_task(body(fetcher, f"http://{origin.name}/"))
        await reached.wait()
        await cancel(task)
        await asyncio.wait_for(origin.hung_up.wait(), 1)

    async def test_hangs_up_amid_a_tls_handshake(self, fetcher: Fetcher) -> None:
        silent, reached = Origin(), asyncio.Event()

        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            reached.set()
            await silent.wait(reader, writer)

        async with silent.listening(stall):
            there = replace(fetcher, domains=[silent.name])
            task = asyncio.create_task(body(there, f"https://{silent.name}/"))
            await reached.wait()
            await cancel(task)
            await asyncio.wait_for(silent.hung_up.wait(), 1)


async def cancel(task: "asyncio.Task[bytes]") -> None:
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class TestTls:
    async def test_the_name_is_asked_for_and_checked(
        self, fetcher: Fetcher, secure: Origin
    ) -> None:
        secure.answers["/"] = OK + LENGTH % len(CLIP) + CLIP
        there = replace(fetcher, domains=[secure.name])
        assert await body(there, f"https://{secure.name}/") == CLIP
        assert secure.names == [HOST]
        assert f"Host: {secure.name}\r\n".encode() in secure.requests[0]

    @pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
    async def test_another_name_is_refused(
        self, fetcher: Fetcher, secure: Origin, host: str
    ) -> None:
        names = Names(other_example=[["127.0.0.1"]])
        names.answers["127.0.0.1"] = [["127.0.0.1"]]
        url = f"https://{host}:{secure.port}/"
        there = replace(fetcher, domains=[url[8:-1]], private_hosts=[host], resolve=names)
        assert "could not be fetched" in await refusal(there, url)
        assert not secure.requests

    async def test_an_unknown_issuer_is_refused(
        self, fetcher: Fetcher, secure: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        http._trusted.cache_clear()
        there = replace(fetcher, domains=[secure.name])
        assert "could not be fetched" in await refusal(there, f"https://{secure.name}/")
        assert not secure.requests

    async def test_what_speaks_no_tls_is_refused(self, fetcher: Fetcher) -> None:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(OK + LENGTH % 1 + b"x")

        plain = Origin()
        async with plain.listening(speak):
            there = replace(fetcher, domains=[plain.name])
            assert "could not be fetched" in await refusal(there, f"https://{plain.name}/")


class TestFailures:
    async def test_an_unknown_host(self, fetcher: Fetcher, origin: Origin) -> None:
        nowhere = replace(fetcher, resolve=Names())
        assert "could not be fetched" in await refusal(nowhere, f"http://{origin.name}/?secret")

    async def test_a_host_without_addresses(self, fetcher: Fetcher, origin: Origin) -> None:
        nowhere = replace(fetcher, resolve=Names(clips_example=[[]]))
        assert "could not be fetched" in await refusal(nowhere, f"http://{origin.name}/?secret")

    async def test_a_port_that_is_closed(self, fetcher: Fetcher) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            name = f"{HOST}:{closed.getsockname()[1]}"
        reason = await refusal(replace(fetcher, domains=[name]), f"http://{name}/?secret")
        assert "could not be fetched" in reason

    async def test_an_error_in_writing_is_no_error_of_the_clip(
        self, fetcher: Fetcher, origin: Origin
    ) -> None:
        class Full(io.BytesIO):
            def write(self, *_: object) -> int:
                raise OSError(errno.ENOSPC, "full")

        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        with pytest.raises(OSError, match="full"):
            await fetcher.fetch(f"http://{origin.name}/", Full())


class TestEnvironment:
    @pytest.fixture
    def proxied(self, fetcher: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> Fetcher:
        """Sees the origin as a proxy, and nothing behind it."""
        for variable in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, f"http://user:word@127.0.0.1:{origin.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        names = Names()
        names.answers["127.0.0.1"] = [["127.0.0.1"]]
        return replace(fetcher, domains=[HOST], trust_env=True, resolve=names)

    async def test_a_proxy_is_used_if_that_is_wanted(
        self, proxied: Fetcher, origin: Origin
    ) -> None:
        origin.answers["http://clips.example:80/a?b"] = OK + LENGTH % 1 + b"x"
        assert await body(proxied, "http://clips.example/a?b") == b"x"
        assert b"\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in origin.requests[0]
        assert b"\r\nHost: clips.example\r\n" in origin.requests[0]

    async def test_a_proxy_that_refuses_is_an_error_of_the_clip(
        self, proxied: Fetcher, origin: Origin
    ) -> None:
        origin.answers["clips.example:443"] = b"HTTP/1.1 403 No\r\n" + LENGTH % 0
        assert "could not be fetched" in await refusal(proxied, "https://clips.example/?secret")
        assert len(origin.requests) == 1

    async def test_domains_hold_with_a_proxy(self, proxied: Fetcher, origin: Origin) -> None:
        origin.answers["http://clips.example:80/"] = redirect("http://evil.example/")
        for url in ("http://clips.example/", "http://evil.example/"):
            assert "does not fetch from 'evil.example'" in await refusal(proxied, url)
        assert len(origin.requests) == 1

    async def test_addresses_hold_where_there_is_no_proxy(
        self, proxied: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("no_proxy", HOST)
        names = Names(clips_example=[["10.0.0.1"]])
        direct = replace(proxied, private_hosts=[], resolve=names)
        assert "not public" in await refusal(direct, "http://clips.example/")
        assert not origin.requests

    async def test_nothing_of_it_is_used_by_default(
        self,
        proxied: Fetcher,
        origin: Origin,
        dialled: list[str],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        (tmp_path / "netrc").write_text(f"machine {HOST} login user password word\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        origin.answers["/"] = OK + LENGTH % 1 + b"x"
        names = Names(clips_example=[[PUBLIC]])
        direct = replace(proxied, private_hosts=[], trust_env=False, resolve=names)
        assert await body(direct, "http://clips.example/") == b"x"
        assert dialled == [PUBLIC]
        assert b"uthorization" not in origin.requests[0]
