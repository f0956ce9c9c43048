"""Pages of other origins: which may ask, and what they can read of an answer."""

from tests.support.gate import Call, House


async def test_another_origin_is_let_in_only_if_it_is_named() -> None:
    asked = {"Origin": "https://page.example"}
    closed = await Call(House(), "/look", "GET", asked).answer()
    assert "access-control-allow-origin" not in closed.answered
    house = House(origins=("https://page.example",), keys="a:k")
    answered = (await Call(house, "/look", "GET", asked).answer()).answered
    assert answered["access-control-allow-origin"] == "https://page.example"
    assert "X-Request-Id" in answered["access-control-expose-headers"]
    preflight = {**asked, "Access-Control-Request-Method": "POST"}
    call = await Call(house, "/work", "OPTIONS", preflight).answer()
    assert call.status == 200
    assert "x-request-id" in call.answered
