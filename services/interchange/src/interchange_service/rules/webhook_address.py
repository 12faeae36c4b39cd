"""Webhook addresses: only public ones, by HTTPS.

A dealer chooses the address and our server connects to it (SSRF), so it must never reach what only
our own network can reach. A name is checked when it is registered and again, by the addresses that
it then resolves to, at each attempt.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from shared.errors import FieldError

LONGEST_URL = 500
PLAIN = re.compile(r"[!-~]+")
NAT64 = IPv6Network("64:ff9b::/96")
NOT_PUBLIC = (
    IPv4Network("192.88.99.0/24"),  # the former 6to4 relays (RFC 7526)
    IPv4Network("168.63.129.16/32"),  # the host of a virtual machine at Azure
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
"""What Python's table calls global although no dealer can be there."""
PORTS = frozenset({443, 8443})
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def wrong_url(url: str, *, local: bool) -> FieldError | None:
    """What is wrong with an address as it is written.

    `local` allows HTTP and any port on this machine.
    """
    if len(url) > LONGEST_URL:
        return _wrong(
            "URL_TOO_LONG",
            f"{LONGEST_URL}文字以内で入力してください。",
            f"at most {LONGEST_URL} characters",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not PLAIN.fullmatch(url) or "\\" in url:
        return _wrong("URL_UNREADABLE", "URL を正しい形で入力してください。", "a URL in ASCII")
    if parts.username is not None or parts.password is not None or "#" in url:
        return _wrong(
            "URL_UNREADABLE",
            "URL にユーザー名やパスワード、# を含めないでください。",
            "a URL without user name, password and #",
        )
    here = local and host in LOCAL_NAMES
    if parts.scheme != "https" and not here:
        return _wrong(
            "URL_NOT_HTTPS",
            "https:// で始まる URL を入力してください。",
            "a URL that begins with https://",
        )
    if not here and port not in {None, *PORTS}:
        return _wrong(
            "PORT_REFUSED", "ポートは 443 または 8443 を指定してください。", "port 443 or 8443"
        )
    return None


def is_public(address: str) -> bool:
    """Whether this address reaches the same machine from anywhere on the Internet."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = _within(found)
    if isinstance(found, IPv6Address) and (found.is_site_local or found.teredo):
        return False
    if any(found in network for network in NOT_PUBLIC if network.version == found.version):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _within(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address embedded in an IPv6 address, if any."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _wrong(code: str, japanese: str, english: str) -> FieldError:
    return FieldError("url", code, japanese, english)
