"""Who hears of a pass application, and of its end (R29, R30, R32)?"""

from collections.abc import Iterable


def application_recipients(permitted: Iterable[str], administrator: str) -> tuple[str, ...]:
    """Addresses for the application mail, each once whatever its case.

    Everyone with the permission, and always the administrator's address.
    """
    addresses: dict[str, str] = {}
    for address in (*permitted, administrator):
        addresses.setdefault(address.strip().lower(), address.strip())
    return tuple(addresses.values())


def decision_recipients(applicant: str) -> tuple[str, ...]:
    """Addresses for the confirmation and rejection mails: the applicant alone."""
    return (applicant,)
