"""Which routes of another app stay, and how those that stay read their bodies."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel

from emotion_llama_server import paths
from emotion_llama_server.routes import exposure
from emotion_llama_server.routes.error_route import ErrorRoute


class Body(BaseModel):
    number: int


class Answer(BaseModel):
    doubled: int


async def double(body: Body) -> Answer:
    """Double the number."""
    return Answer(doubled=2 * body.number)


async def look() -> str:
    return "seen"


def header(response: Response) -> None:
    response.headers["X-Checked"] = "yes"


@pytest.fixture
def app() -> FastAPI:
    """An app as vLLM's: documented routes, others, and one of ours."""
    app = FastAPI()
    app.add_api_route(paths.CHAT, double, methods=["POST"], tags=["chat"], summary="Double.")
    app.add_api_route(paths.HEALTH, look)
    app.add_api_route("/tokenize", double, methods=["POST"], status_code=201)
    app.add_api_route("/sleep", look, methods=["POST"])
    app.mount(paths.METRICS, FastAPI())
    app.mount("/debug", FastAPI())
    ours = APIRouter(route_class=ErrorRoute)
    ours.add_api_route("/ours", double, methods=["POST"])
    app.include_router(ours)
    return app


def known(app: FastAPI) -> set[str]:
    return {getattr(route, "path", "") for route in app.router.routes}


def route_of(app: FastAPI, path: str) -> APIRoute:
    (route,) = (route for route in app.router.routes if getattr(route, "path", "") == path)
    assert isinstance(route, APIRoute)
    return route


def test_only_documented_routes_and_our_own_stay(app: FastAPI) -> None:
    exposure.close_others(app, ())
    pages = {paths.DOCS, paths.DOCUMENT}
    assert known(app) - pages == {paths.CHAT, paths.HEALTH, paths.METRICS, "/ours"}
    client = TestClient(app)
    assert client.post("/sleep").status_code == 404
    assert client.get(paths.HEALTH).json() == "seen"


def test_a_route_that_the_operator_names_stays_too(app: FastAPI) -> None:
    exposure.close_others(app, ("/tokenize",))
    assert TestClient(app).post("/tokenize", json={"number": 4}).json() == {"doubled": 8}
    assert "/sleep" not in known(app)


def test_a_name_without_a_route_is_refused_before_anything_is_closed(app: FastAPI) -> None:
    before = known(app)
    with pytest.raises(ValueError, match=r"--expose-route: vLLM has no route /tokenise\."):
        exposure.close_others(app, ("/tokenize", "/tokenise"))
    assert known(app) == before


def test_a_route_with_a_body_reads_it_strictly_and_is_otherwise_the_same(app: FastAPI) -> None:
    before = route_of(app, "/tokenize"), route_of(app, paths.CHAT)
    exposure.read_strictly(app)
    for old in before:
        new = route_of(app, old.path)
        assert isinstance(new, ErrorRoute)
        for name in ("endpoint", "methods", "status_code", "response_model", "tags", "summary"):
            assert getattr(new, name) == getattr(old, name)
    client = TestClient(app)
    kind = {"Content-Type": "application/json"}
    twice = client.post(paths.CHAT, content=b'{"number": 1, "number": 2}', headers=kind)
    assert twice.status_code == 400
    assert twice.json()["error"]["param"] == "number"
    assert client.post("/tokenize", json={"number": 4}).status_code == 201


def test_routes_without_a_body_and_our_own_stay_as_they_are(app: FastAPI) -> None:
    before = route_of(app, paths.HEALTH), route_of(app, "/ours")
    exposure.read_strictly(app)
    assert (route_of(app, paths.HEALTH), route_of(app, "/ours")) == before


def test_reading_strictly_keeps_what_a_route_depends_on(app: FastAPI) -> None:
    @app.post("/checked", dependencies=[Depends(header)])
    async def checked(body: Annotated[Body, ...]) -> Answer:
        return await double(body)

    exposure.read_strictly(app)
    answer = TestClient(app).post("/checked", json={"number": 1})
    assert (answer.json(), answer.headers["X-Checked"]) == ({"doubled": 2}, "yes")


def test_paths_with_a_common_rule_are_documented_ones() -> None:
    assert paths.OPEN < paths.READ_ONLY < paths.DOCUMENTED
    assert not paths.READ_ONLY & {paths.CHAT, paths.EMOTION, *paths.LEGACY}
