"""Request dependencies of every route: the caller, the instant and the transaction."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field

from contracts_service import queries
from contracts_service.models import Contract
from contracts_service.policy import Policy
from contracts_service.rules.contract_access import Viewer
from shared import auth, request_context
from shared.concurrency import check_version
from shared.http import NotFound, clock_of, database_of
from shared.refusals import refuses
from shared.roles import Role
from shared.trace_context import set_actor

DEALER = auth.require(auth.Role.SALES, auth.Role.MANAGER, auth.Role.HQ)
STORE_WORK = auth.require(auth.Role.SALES, auth.Role.MANAGER)
LEADERS = auth.require(auth.Role.MANAGER, auth.Role.HQ)
HQ = auth.require(auth.Role.HQ)

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL can store."""


@dataclass(frozen=True, slots=True)
class RequestContext(request_context.RequestContext):
    """One request of a dealer's user."""

    who: auth.Principal
    viewer: Viewer
    policy: Policy
    known_products: set[str]
    """Codes seen in the product master: products are never removed, so each is looked up once."""


@refuses(NotFound)
async def _context(request: Request) -> AsyncIterator[RequestContext]:
    who: auth.Principal = request.state.principal
    set_actor(who.person_id)
    viewer = viewer_of(who)
    async with database_of(request).transaction(viewer.dealer_code) as tx:
        now, state = clock_of(request).now(), request.app.state
        yield RequestContext(tx, now, who, viewer, state.policy, state.known_products)


Ctx = Annotated[RequestContext, Depends(_context, scope="function")]


def viewer_of(who: auth.Principal) -> Viewer:
    """The caller as the rules see them; with several roles, the one with the widest view.

    Raises:
        NotFound: a caller without a dealer, or without a store where the role needs one.
    """
    role = next(role for role in (Role.HQ, Role.MANAGER, Role.SALES) if who.has(role))
    if who.dealer is None or (role is not Role.HQ and who.store is None):
        raise NotFound
    store = None if role is Role.HQ else who.store
    return Viewer(role=role, dealer_code=who.dealer, store_code=store)


async def locked_contract(
    ctx: RequestContext, contract_no: str, version: int | None = None
) -> Contract:
    """A contract to change, locked; `version` is what the caller saw of it, None if any will do.

    Raises ContractNotFound, VersionConflict.
    """
    contract = await queries.contract_for(
        ctx.tx, ctx.viewer, contract_no, today=ctx.today, lock=True
    )
    if version is not None:
        check_version(contract.version, version)
    return contract
