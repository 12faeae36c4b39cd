"""Package index for tests: a real HTTP server with a uv wheel that is a shell script."""

import base64
import contextlib
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON_API = "application/vnd.pypi.simple.v1+json"


def uv_wheel(version: str, program: str | None = None) -> bytes:
    """A wheel whose uv reports this version (or is another program)."""
    script = program or f"#!/bin/sh\necho uv {version}\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr(f"uv-{version}.data/scripts/uv", script)
    return packed.getvalue()


@dataclass
class Index:
    """The files and responses of the index, and the requests received."""

    form: str = "json"
    files: dict[str, bytes] = field(default_factory=dict)
    yanked: set[str] = field(default_factory=set)
    hashes: dict[str, str | None] = field(default_factory=dict)
    status: int = 200
    failures: list[int | str] = field(default_factory=list)
    login: str | None = None
    files_at: str = ""
    asked: list[str] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    url: str = ""

    def add(self, name: str, content: bytes) -> None:
        """Add a file."""
        self.files[name] = content
        self.hashes[name] = hashlib.sha256(content).hexdigest()

    def refuses(self, authorization: str | None) -> int | None:
        """The status of a refused request."""
        wanted = self.login and f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if wanted and authorization != wanted:
            return 401
        return None if self.status == 200 else self.status

    def page(self) -> tuple[str, str]:
        """The page of a project: its content type and text."""
        if self.form == "json":
            files = [
                {
                    "filename": name,
                    "url": f"../../files/{name}",
                    "hashes": {"sha256": value} if value else {},
                    "yanked": name in self.yanked,
                }
                for name, value in self.hashes.items()
            ]
            return JSON_API, json.dumps({"meta": {"api-version": "1.0"}, "files": files})
        links = [
            f'<a href="/files/{name}{f"#sha256={value}" if value else ""}"'
            f"{' data-yanked=bad' if name in self.yanked else ''}>{name}</a><br>"
            for name, value in self.hashes.items()
        ]
        return "text/html", f"<!doctype html><body>{''.join(links)}</body>"


class Server(ThreadingHTTPServer):
    """Serves an index."""

    def __init__(self, index: Index) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.index = index


class Handler(BaseHTTPRequestHandler):
    """Answers requests from the index."""

    server: Server

    def do_GET(self) -> None:
        self.server.index.asked.append(self.path)
        self.server.index.logins.append(self.headers.get("Authorization"))
        if not (self.server.index.failures and self._fail(self.server.index.failures.pop(0))):
            self._serve()

    def _serve(self) -> None:
        if refused := self.server.index.refuses(self.headers.get("Authorization")):
            self.send_error(refused)
        elif self.path == "/simple/uv/":
            kind, page = self.server.index.page()
            self._answer(kind, page.encode())
        elif self.server.index.files_at:
            self.send_response(302)
            self.send_header("Location", f"{self.server.index.files_at}{self.path}")
            self.end_headers()
        elif content := self.server.index.files.get(self.path.removeprefix("/files/")):
            self._answer("application/octet-stream", content)
        else:
            self.send_error(404)

    def _fail(self, how: int | str) -> bool:
        if how == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"begun")
            return True
        if isinstance(how, int):
            self.send_error(how)
            return True
        return False

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(index: Index) -> Iterator[Index]:
    """Serve an index on a local port."""
    with Server(index) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        yield index
        server.shutdown()
        thread.join()
