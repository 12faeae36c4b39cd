"""Fixtures of the commuter tests: network, tariffs, and a server like 駅すぱあと.

The server's answers are written after the public documentation of 駅すぱあと API
(docs.ekispert.com/v1): api/search/course/extreme, api/toolbox/course/condition,
api/course/passStation, and the tip fare-calculate-at-using-teiki, whose example shows Point,
Station, and Line with direction and timeOnBoard. How Price is shaped was seen in a program of the
maker (ValLaboratory/ekispert-api-bus-data-migration-tool). No answer of the real service was
recorded.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fare_engine.fares.tariffs import Tariffs, packaged_tariffs
from fare_engine.network.network import Network

SEARCH, CONDITION, STATIONS = (
    "/v1/json/search/course/extreme",
    "/v1/json/toolbox/course/condition",
    "/v1/json/course/passStation",
)
CONDITIONS = {"ic": "T32:F33i:A23:", "normal": "T32:F33n:A23:"}


@pytest.fixture(scope="session")
def tariffs() -> Tariffs:
    return packaged_tariffs()


@pytest.fixture(scope="session")
def network(tariffs: Tariffs) -> Network:
    return tariffs.network


@dataclass
class EkispertServer:
    """Courses between places, the stations of a course by its data, and all that was asked.

    `fares`: courses by their places and fixed lines. `broken`: status and body of every answer.
    """

    url: str = ""
    courses: Any = None
    fares: dict[tuple[str, str], Any] = field(default_factory=dict)
    stations: dict[str, Sequence[str]] = field(default_factory=dict)
    broken: tuple[int, Any] | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
        """Status and body of one answer."""
        self.asked.append((path, asked))
        if self.broken:
            return self.broken
        if path == CONDITION:
            return 200, result(Condition=CONDITIONS[asked["ticketSystemType"]])
        if path == STATIONS:
            found = self.stations.get(asked["serializeData"])
            return (403, refusal("W403", "認証エラー")) if found is None else (
                200, result(Point=[point(name) for name in found])
            )  # fmt: skip
        if lines := asked.get("fixedRailList"):
            return 200, result(Course=self.fares.get((asked["viaList"], lines)))
        return 200, result(Course=self.courses)

    def searches(self) -> list[dict[str, str]]:
        """The questions for courses."""
        return [asked for path, asked in self.asked if path == SEARCH]


@pytest.fixture
def ekispert_server() -> Iterator[EkispertServer]:
    here = EkispertServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, answer = here.answer(parts.path, asked)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def result(**parts: Any) -> dict[str, Any]:
    found = {name: part for name, part in parts.items() if part is not None}
    return {"ResultSet": {"apiVersion": "1.27.0.0", "engineVersion": "202603_01a", **found}}


def refusal(code: str, message: str) -> dict[str, Any]:
    return result(Error={"code": code, "Message": message})


def point(name: str) -> dict[str, Any]:
    return {"Station": {"code": "0", "Name": name, "Type": "train"}, "Prefecture": {"code": "13"}}


def line(name: str, kind: str = "train", minutes: int = 10) -> dict[str, Any]:
    """A train, or a walk (which has no direction)."""
    direction = {"direction": "Down"} if kind == "train" else {}
    return {"Name": name, "Type": kind, "timeOnBoard": str(minutes), **direction}


def course(
    fare: str, points: list[str], lines: Any, minutes: str = "14", data: str | None = None
) -> dict[str, Any]:
    return {
        "searchType": "plain",
        "Price": [
            {"kind": "FareSummary", "Oneway": fare, "Round": str(2 * int(fare))},
            {"kind": "ChargeSummary", "Oneway": "0", "Round": "0"},
        ],
        "Route": {
            "timeOnBoard": minutes,
            "timeWalk": "0",
            "timeOther": "4",
            "transferCount": "0",
            "Point": [point(name) for name in points],
            "Line": lines,
        },
        **({"SerializeData": data} if data else {}),
    }
