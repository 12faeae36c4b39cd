"""Client address: who asked, as far as the proxies in front of a process can be trusted.

Each proxy appends the address that it was asked from to X-Forwarded-For. Read from its end, the
first address that is not a trusted proxy's is the client's; what stands before it is a claim.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

Network = IPv4Network | IPv6Network


def networks(listed: str) -> tuple[Network, ...]:
    """The networks of a comma-separated setting: `10.0.0.0/8, 192.0.2.7`. Raises ValueError."""
    return tuple(ip_network(one.strip()) for one in listed.split(",") if one.strip())


def client_address(scope: Scope, trusted: Sequence[Network]) -> str | None:
    """The client's address; None where there is none (a socket file) or none can be read."""
    peer = (scope.get("client") or ("",))[0]
    chain = [peer]
    for header in reversed(Headers(scope=scope).getlist("x-forwarded-for")):
        chain += [one.strip() for one in reversed(header.split(","))]
    found = next((one for one in chain if not _is_in(one, trusted)), chain[-1])
    return _normal(found)


def _is_in(address: str, trusted: Sequence[Network]) -> bool:
    normal = _normal(address)
    return normal is not None and any(ip_address(normal) in network for network in trusted)


def _normal(address: str) -> str | None:
    """The address as its standard text; an IPv4 address inside an IPv6 one is taken out of it."""
    try:
        read = ip_address(address)
    except ValueError:
        return None
    mapped = getattr(read, "ipv4_mapped", None)
    return str(mapped or read)
