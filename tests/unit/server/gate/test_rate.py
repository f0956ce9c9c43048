"""The rate limit of a key, or of an address."""

import pytest

from tests.support.apps.gate import Call, House


async def test_each_key_has_its_own() -> None:
    house = House(keys="alice:a,bob:b", rate_limit="2/minute")
    house.go_on.set()
    calls = [await Call(house, headers={"X-API-Key": key}).answer() for key in "aaabba"]
    assert [call.status for call in calls] == [200, 200, 429, 200, 200, 429]
    assert 1 <= int(calls[-1].answered["retry-after"]) <= 60
    assert calls[-1].reads == 0
    assert (await Call(house, "/look", "GET", {"X-API-Key": "a"}).answer()).status == 200


async def test_without_keys_each_address_has_its_own() -> None:
    house = House(rate_limit="1/minute")
    house.go_on.set()
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.1", "::ffff:10.0.0.2"]
    statuses = [(await Call(house, address=a).answer()).status for a in addresses]
    assert statuses == [200, 200, 429, 429]


async def test_the_addresses_of_an_ipv6_network_count_as_one() -> None:
    house = House(rate_limit="2/minute")
    house.go_on.set()
    addresses = ["2001:db8::1", "2001:db8::2:3:4:5", "2001:db8::9", "2001:db8:0:1::1"]
    statuses = [(await Call(house, address=a).answer()).status for a in addresses]
    assert statuses == [200, 200, 429, 200]


async def test_the_port_that_a_proxy_writes_makes_no_further_client() -> None:
    house = House(rate_limit="1/minute", trusted_proxy=("127.0.0.1",))
    house.go_on.set()
    statuses = []
    for client in ("203.0.113.1", "203.0.113.2", "[2001:db8::1]"):
        for port in (50_001, 50_002):
            headers = {"X-Forwarded-For": f"{client}:{port}"}
            statuses.append((await Call(house, headers=headers).answer()).status)
    assert statuses == [200, 429] * 3


@pytest.mark.parametrize(
    ("trusted", "statuses"), [((), [200, 429]), (("127.0.0.0/8",), [200, 200])]
)
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    trusted: tuple[str, ...], statuses: list[int]
) -> None:
    house = House(rate_limit="1/minute", trusted_proxy=trusted)
    house.go_on.set()
    calls = [
        await Call(house, headers={"X-Forwarded-For": f"6.6.6.6, 203.0.113.{n}"}).answer()
        for n in range(2)
    ]
    assert [call.status for call in calls] == statuses


async def test_what_the_client_wrote_itself_is_not_believed() -> None:
    """Only the last hop is the proxy's."""
    house = House(rate_limit="1/minute", trusted_proxy=("127.0.0.1/32",))
    house.go_on.set()
    calls = [
        await Call(house, headers={"X-Forwarded-For": f"1.1.1.{n}, 203.0.113.9"}).answer()
        for n in range(2)
    ]
    assert [call.status for call in calls] == [200, 429]
