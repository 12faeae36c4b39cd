"""Recipients of mails about a pass application (R29, R30)."""

from collections.abc import Iterable


def application_recipients(permitted: Iterable[str], administrator: str) -> tuple[str, ...]:
    """Addresses for the application mail, each once whatever its case.

    Everyone with the permission, and always the administrator's address.
    """
    addresses: dict[str, str] = {}
    for address in (*permitted, administrator):
        addresses.setdefault(address.strip().lower(), address.strip())
    return tuple(addresses.values())
