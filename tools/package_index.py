"""Package index client: lists the files of a project, and downloads them with a hash check.

It supports the simple repository API as JSON and HTML. Standard library only: this runs before
anything is installed.
"""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import IO, Any, TypeVar
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit, urlunsplit

from tools.terminal import Failure, say

JSON_API = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_API}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
ATTEMPTS = 3
PATIENCE_S = 30
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
ANOTHER = "name an index that you may use: PIP_INDEX_URL=https://... ./dev up"
HOW_TO_REACH = (
    "Check the network; behind a proxy set HTTPS_PROXY, with an index of your own PIP_INDEX_URL."
)
HOW_TO_TRUST = (
    "Install ca-certificates; behind a proxy that opens TLS set SSL_CERT_FILE to its certificates."
)
T = TypeVar("T")


class Truncated(OSError):
    """The connection ended before the file was complete."""


@dataclass(frozen=True)
class IndexFile:
    """One file of a project."""

    name: str
    url: str
    sha256: str | None
    yanked: bool = False


class PackageIndex:
    """An index by its URL, which may contain a user and a password."""

    def __init__(self, url: str, certificates: str | None = None, pause_s: float = 1) -> None:
        """Trust `certificates` instead of the system's; proxies come from the environment."""
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, place, parts.path.rstrip("/") + "/", "", ""))
        self.host = place or self.url
        self._login = (
            parts.username and f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        )
        self._pause_s = pause_s
        try:
            context = ssl.create_default_context(cafile=certificates)
        except OSError as error:
            raise Failure(
                f"The certificates in {certificates} cannot be read ({error.strerror or error})."
                " Set SSL_CERT_FILE to a file of trusted certificates (PEM)."
            ) from error
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def files(self, project: str) -> list[IndexFile]:
        """Every file of a project that is not yanked."""
        page = "index.html" if self.url.startswith("file:") else ""
        address = f"{self.url}{project}/{page}"

        def read() -> list[IndexFile]:
            with self._open(address) as answer:
                is_json = answer.headers.get_content_type() == JSON_API
                listing = _from_json if is_json else _from_html
                return list(listing(answer.read().decode(), answer.url))

        return [file for file in self._patiently(read) if not file.yanked]

    def download(self, file: IndexFile, into: IO[bytes]) -> None:
        """Write the content of a file; raises if its hash differs from the index."""
        if file.sha256 is None:
            raise Failure(f"{self.host} names no sha256 for {file.name}; {ANOTHER}")

        def read() -> str:
            into.seek(0)
            into.truncate()
            with self._open(file.url) as answer:
                return _copy(answer, into, file.name)

        if self._patiently(read) != file.sha256:
            raise Failure(
                f"{file.name} from {self.host} is not the file whose sha256 the index names:"
                f" the index or a proxy changed it. Ask who runs it, or {ANOTHER}"
            )

    def _open(self, url: str) -> Any:
        request = urllib.request.Request(url, headers={"Accept": ACCEPT})  # noqa: S310
        if self._login and urlsplit(url).netloc == urlsplit(self.url).netloc:
            login = base64.b64encode(self._login.encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {login}")
        return self._opener.open(request, timeout=PATIENCE_S)

    def _patiently(self, read: Callable[[], T]) -> T:
        """Retry after temporary failures; other failures are explained."""
        attempt = 1
        while True:
            try:
                return read()
            except (OSError, http.client.HTTPException) as error:
                why, may_pass = _explain(error)
                if isinstance(error, urllib.error.HTTPError):
                    error.close()
                if attempt == ATTEMPTS or not may_pass:
                    raise Failure(f"{self.host} {why}") from error
                say(f"  {self.host} {why} Trying again ...")
            time.sleep(self._pause_s * attempt)
            attempt += 1


def _explain(error: Exception) -> tuple[str, bool]:
    """Why an index could not be read, what to do, and whether the failure is temporary."""
    if isinstance(error, urllib.error.HTTPError):
        again = error.code >= SERVER_ERROR or error.code == TOO_MANY_REQUESTS
        return f"answered {error.code} {error.reason}; {ANOTHER}", again
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"is not trusted ({reason.verify_message}). {HOW_TO_TRUST}", False
    again = isinstance(reason, TimeoutError | ConnectionResetError | Truncated) or isinstance(
        error, http.client.HTTPException
    )
    if not again and not isinstance(error, urllib.error.URLError | ConnectionError | ssl.SSLError):
        raise error  # an error of this machine, such as a full disk
    words = "name or service not known" if isinstance(reason, socket.gaierror) else str(reason)
    return f"cannot be reached ({words}). {HOW_TO_REACH}", again


def _copy(answer: Any, into: IO[bytes], name: str) -> str:
    """Copy a response, showing progress; returns the sha256 of the content."""
    digest, done, shown = hashlib.sha256(), 0, 0
    total = int(answer.headers.get("Content-Length") or 0)
    size = f"{total / 1e6:.1f} MB" if total else "size not known"
    say(f"  {name} ({size})")
    while chunk := answer.read(1 << 18):
        into.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        if total and done * 100 // total >= shown + (1 if sys.stderr.isatty() else 25):
            shown = done * 100 // total
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            print(f"  {done / 1e6:.1f} of {size}, {shown} %", end=end, file=sys.stderr, flush=True)  # noqa: T201
    if done < total:
        raise Truncated(f"{name} ended after {done:,} of {total:,} bytes")
    return digest.hexdigest()


def _from_json(body: str, base: str) -> Iterator[IndexFile]:
    for file in json.loads(body)["files"]:
        sha256 = file.get("hashes", {}).get("sha256")
        yanked = bool(file.get("yanked", False))
        yield IndexFile(file["filename"], urljoin(base, file["url"]), sha256, yanked)


def _from_html(body: str, base: str) -> Iterator[IndexFile]:
    links = _Links()
    links.feed(body)
    for link in links.found:
        url, fragment = urldefrag(urljoin(base, link["href"] or ""))
        [sha256] = parse_qs(fragment).get("sha256", [None])
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        yield IndexFile(name, url, sha256, "data-yanked" in link)


class _Links(HTMLParser):
    """The links of a page, each with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a link."""
        if tag == "a" and "href" in dict(attrs):
            self.found.append(dict(attrs))
