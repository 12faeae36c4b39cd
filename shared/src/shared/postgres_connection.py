"""PostgreSQL connections: every part connects here, with the TLS that the URL asks for.

A URL may carry libpq's parameters, which asyncpg and PostgreSQL's own programs read alike:
`?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem` encrypts, and accepts the server only with a
certificate of this CA for its host name.
"""

import ssl

import asyncpg


class DatabaseUnavailable(ConnectionError):
    """No connection can be had: the server is away, refuses us, or has no connection to give."""


async def connect(
    url: str,
    *,
    timeout: float = 10,  # noqa: ASYNC109 - as asyncpg
    command_timeout: float | None = None,
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
    server_settings: dict[str, str] | None = None,
) -> asyncpg.Connection:
    """An asyncpg connection. Raises DatabaseUnavailable, with the reason in one line."""
    try:
        return await asyncpg.connect(
            url,
            timeout=timeout,
            command_timeout=command_timeout,
            connection_class=connection_class,
            server_settings=server_settings,
        )
    except ssl.SSLError as cause:
        reason = getattr(cause, "verify_message", None) or cause.reason or cause
        raise DatabaseUnavailable(f"PostgreSQL's certificate is refused: {reason}") from cause
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as cause:
        reason = str(cause) or type(cause).__name__
        raise DatabaseUnavailable(f"PostgreSQL gives no connection: {reason}") from cause
