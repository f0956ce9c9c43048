"""Which addresses of a host are dialled, and that those that were checked are."""

import asyncio
from dataclasses import replace

import pytest

from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    HOST,
    LENGTH,
    OK,
    PUBLIC,
    Names,
    Origin,
    body,
    public,
    redirect,
    refusal,
)

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


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_refused_among_others(
    fetcher: Fetcher, dialled: list[str], address: str
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
    fetcher: Fetcher, dialled: list[str], address: str
) -> None:
    strict, _ = public(fetcher, [address], domain=address)
    reason = await refusal(strict, f"http://{strict.domains[0]}/")
    assert "--allow-private-media-host" in reason
    assert not dialled


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:4860:4860::8888", "2a00:1450::1"],
)
async def test_a_public_address_is_dialled(
    fetcher: Fetcher, origin: Origin, dialled: list[str], address: str
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
async def test_a_private_host_may_have_a_private_address(
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
async def test_the_entry_of_another_private_host_allows_none(fetcher: Fetcher, entry: str) -> None:
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
async def test_some_addresses_are_never_dialled_for_a_name(
    fetcher: Fetcher, dialled: list[str], address: str
) -> None:
    for addresses in ([address], ["10.0.0.1", address]):
        strict, _ = public(fetcher, addresses)
        reason = await refusal(replace(strict, private_hosts=[HOST]), "http://clips.example/")
        assert reason == ("'clips.example' has an address that this server never fetches from.")
    assert not dialled


async def test_a_link_local_address_can_be_named_as_itself(
    fetcher: Fetcher, origin: Origin, dialled: list[str]
) -> None:
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    lenient, _ = public(fetcher, ["169.254.1.2"], domain="169.254.1.2")
    lenient = replace(lenient, private_hosts=["169.254.1.2"])
    assert await body(lenient, "http://169.254.1.2/") == b"x"
    assert dialled == ["169.254.1.2"]


async def test_addresses_are_tried_in_order(fetcher: Fetcher, origin: Origin) -> None:
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    names = Names(clips_example=[["127.0.0.2", "127.0.0.3", "127.0.0.1"]])
    assert await body(replace(fetcher, resolve=names), f"http://{origin.name}/") == b"x"
    assert origin.connections == 1


async def test_a_silent_address_leaves_time_for_the_next(
    fetcher: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    connect = asyncio.get_running_loop().create_connection

    async def connect_or_wait(factory: object, host: str, port: int, **kwargs: object) -> object:
        if host == "127.0.0.2":
            await asyncio.sleep(60)
        return await connect(factory, host, port, **kwargs)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect_or_wait)
    names = Names(clips_example=[["127.0.0.2", "127.0.0.1"]])
    hasty = replace(fetcher, seconds=0.6, resolve=names)
    assert await body(hasty, f"http://{origin.name}/") == b"x"


async def test_the_system_is_asked_by_default(origin: Origin) -> None:
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    for host in ("localhost", "127.0.0.1"):
        strict = Fetcher([f"{host}:{origin.port}"], [], max_bytes=9, seconds=5)
        url = f"http://{host}:{origin.port}/"
        assert "not public" in await refusal(strict, url)
        assert await body(replace(strict, private_hosts=[host]), url) == b"x"


async def test_an_ipv6_origin_is_fetched_from() -> None:
    origin = Origin()
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    async with origin.listening(origin.answer, host="::1"):
        name = f"[::1]:{origin.port}"
        strict = Fetcher([name], [], max_bytes=9, seconds=5)
        assert "not public" in await refusal(strict, f"http://{name}/")
        assert await body(replace(strict, private_hosts=[name]), f"http://{name}/") == b"x"
    assert b"Host: " + name.encode() in origin.requests[-1]


async def test_what_was_checked_is_dialled_without_asking_again(
    fetcher: Fetcher, origin: Origin, dialled: list[str]
) -> None:
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    rebinding, names = public(fetcher, [PUBLIC], ["127.0.0.1"])
    assert await body(rebinding, "http://clips.example/") == b"x"
    assert (names.asked, dialled) == ([HOST], [PUBLIC])


async def test_each_hop_is_checked_anew(
    fetcher: Fetcher, origin: Origin, dialled: list[str]
) -> None:
    origin.answers["/"] = redirect("/again")
    rebinding, names = public(fetcher, [PUBLIC], ["127.0.0.1"])
    assert "not public" in await refusal(rebinding, "http://clips.example/")
    assert (names.asked, dialled) == ([HOST, HOST], [PUBLIC])
    assert origin.connections == 1
