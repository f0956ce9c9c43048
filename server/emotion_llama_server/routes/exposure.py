"""Selects the routes that answer: those that this project documents or the operator names.

vLLM has many others, some of which change the engine or answer chats without its key.
"""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.routing import APIRoute

from emotion_llama_server import paths
from emotion_llama_server.routes.error_route import ErrorRoute


def close_others(app: FastAPI, exposed: Iterable[str]) -> None:
    """Remove vLLM's undocumented routes from the app, so that they answer 404.

    Raises:
        ValueError: vLLM does not have a route that the operator names.
    """
    kept = paths.DOCUMENTED | set(exposed)
    known = {getattr(route, "path", None) for route in app.router.routes}
    if unknown := sorted(set(exposed) - known):
        raise ValueError(f"--expose-route: vLLM has no route {unknown[0]}.")
    app.router.routes[:] = [
        route
        for route in app.router.routes
        if isinstance(route, ErrorRoute) or getattr(route, "path", None) in kept
    ]


def read_strictly(app: FastAPI) -> None:
    """Make vLLM's routes with a body use our JSON reader and our table of errors.

    FastAPI parses a body on the event loop unless the route's class replaces this.
    """
    for route in list(app.router.routes):
        if isinstance(route, APIRoute) and route.body_field and not isinstance(route, ErrorRoute):
            app.router.routes.remove(route)
            app.router.add_api_route(
                route.path,
                route.endpoint,
                response_model=route.response_model,
                status_code=route.status_code,
                tags=route.tags,
                dependencies=route.dependencies,
                summary=route.summary,
                description=route.description,
                responses=route.responses,
                methods=list(route.methods),
                operation_id=route.operation_id,
                include_in_schema=route.include_in_schema,
                name=route.name,
                route_class_override=ErrorRoute,
            )
