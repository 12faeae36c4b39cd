"""Mail addresses: what forms, imports, events and the sender take as one (RFC 5321 4.1.2).

Some Japanese providers once gave out addresses with dots in a row or at an end (`a..b@`, `a.@`).
They are accepted as people write them, and are sent with a quoted local part. What cannot be sent
is refused where it is entered.
"""

import re

LONGEST = 254
LONGEST_LOCAL = 64
"""Octets of the local part as it is sent, its quotes included."""

_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_DOT_ATOM = re.compile(r"[^.]+(?:\.[^.]+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}")


class NotAMailAddress(ValueError):
    """The text is no address that a mail can be sent to; the message never repeats it."""


def mail_address(entered: str) -> str:
    """The address as kept, without quotes. Raises NotAMailAddress."""
    local, at, domain = entered.rpartition("@")
    if not at or not _DOMAIN.fullmatch(domain):
        raise NotAMailAddress("domain")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = local[1:-1]
    if not _LOCAL.fullmatch(local):
        raise NotAMailAddress("local part")
    kept = f"{local}@{domain}"
    if len(_sent(local)) > LONGEST_LOCAL or len(wire_address(kept)) > LONGEST:
        raise NotAMailAddress("length")
    return kept


def is_mail_address(entered: str) -> bool:
    """Whether a mail can be sent to this address."""
    try:
        mail_address(entered)
    except NotAMailAddress:
        return False
    return True


def wire_address(kept: str) -> str:
    """A kept address as it stands in a header and in RCPT TO."""
    local, _, domain = kept.rpartition("@")
    return f"{_sent(local)}@{domain}"


def _sent(local: str) -> str:
    return local if _DOT_ATOM.fullmatch(local) else f'"{local}"'
