"""Authentication: a dealer's system sends an API key, everybody else a token."""

from fastapi import Request

from interchange_service.actions.keys import use_key
from interchange_service.rules.credentials import (
    MARK,
    KeyExpired,
    KeyNotTrusted,
    KeyRevoked,
    WrittenKey,
)
from shared.auth import Principal, PrincipalOf, Role
from shared.db import EVERY_DEALER
from shared.http import clock_of, database_of
from shared.refusals import refuses
from shared.tokens import bearer_token


def with_api_keys(people: PrincipalOf) -> PrincipalOf:
    """Authenticate dealers' systems by their keys, and people by `principal_of`."""

    @refuses(KeyNotTrusted, KeyRevoked, KeyExpired)
    async def authenticated(request: Request) -> Principal:
        token = bearer_token(request)
        if not token.startswith(MARK):
            return await people(request)
        written = WrittenKey.read(token)
        request.state.claimed_actor = f"key {written.key_id}"
        async with database_of(request).transaction(EVERY_DEALER) as tx:
            key = await use_key(tx, written, now=clock_of(request).now())
        return Principal(
            user_id=key.key_id,
            name=key.label,
            dealer=key.dealer_id,
            store=None,
            staff_code=None,
            roles=frozenset({Role.DEALER_SYSTEM}),
            mail=None,
        )

    return authenticated
