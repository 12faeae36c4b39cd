"""API factory: builds the FastAPI application of every service in the same way.

`create_api` installs authentication, problem+json for refusals and the probes, and refuses to
start with a route that declares no policy.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from shared import operator_api
from shared.auth import PrincipalOf, assert_every_route_has_a_policy, install_authentication
from shared.clock import Clock
from shared.db import Database
from shared.departed_staff import only_active
from shared.http import PROBES, install, install_probes
from shared.openapi import DescribedApi
from shared.request_texts import refuse_misleading_texts
from shared.service import Service


def create_api(
    service: Service,
    router: APIRouter,
    *,
    database: Database,
    clock: Clock,
    principal_of: PrincipalOf,
    **state: object,
) -> FastAPI:
    """The app of a service under `/api/<service>/v1`; `state` is copied to `app.state`."""
    base = f"/api/{service.name}/v1"
    app = DescribedApi(
        title=f"Madoguchi {service.name}",
        version="1",
        openapi_url=f"{base}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the redirect would lead to the host that the request names
        servers=[{"url": "/", "description": "the gateway of an installation"}],
        generate_unique_id_function=_operation_id,
    )
    app.state.database = database
    app.state.clock = clock
    for name, value in state.items():
        setattr(app.state, name, value)
    install_authentication(app, only_active(principal_of, database, service.has_left))
    app.state.service_name = service.name
    app.state.operators_work = service.operators_work
    app.router.routes.extend(_routes_under(base, router))
    install(app)
    install_probes(app, _ready(database), partial(service.gauges.refresh, database, clock))
    assert_every_route_has_a_policy(app, public_paths=(*PROBES, f"{base}/openapi.json"))
    return app


_BUILT: dict[tuple[str, int], tuple[APIRouter, Sequence[BaseRoute]]] = {}
"""The routes of each router under its base, beside the router, so that its id is not used again."""


def _routes_under(base: str, router: APIRouter) -> Sequence[BaseRoute]:
    """The routes of a service, built once however many apps a process makes.

    FastAPI analyses each route's signature again for every app that includes its router, a tenth
    of a second for a service; nothing in the result depends on the app.
    """
    key = (base, id(router))
    if key not in _BUILT:
        built = APIRouter(generate_unique_id_function=_operation_id)
        texts = [Depends(refuse_misleading_texts)]
        built.include_router(router, prefix=base, dependencies=texts)
        built.include_router(operator_api.router, prefix=base, dependencies=texts)
        _BUILT[key] = (router, tuple(built.routes))
    return _BUILT[key][1]


def _operation_id(route: APIRoute) -> str:
    return route.name


def _ready(database: Database) -> Callable[[], Awaitable[Mapping[str, bool]]]:
    async def ready() -> Mapping[str, bool]:
        return {"database": await database.is_ready()}

    return ready
