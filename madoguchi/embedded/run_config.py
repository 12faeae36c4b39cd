"""Run configuration of the all-in-one: the choices of `madoguchi up`."""

from dataclasses import dataclass
from pathlib import Path

from madoguchi.embedded.demo.size import Demo


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The options with which the all-in-one is started."""

    port: int
    data: Path
    host: str = "127.0.0.1"
    fresh: bool = False
    rabbitmq: str | None = None
    postgres: str | None = None
    processes: bool = False
    event_prefix: str = ""
    demo: Demo = Demo.SMALL
    demo_contracts: int = 600
    otlp: str | None = None
    log_level: str = "WARNING"
    sandbox: str | None = None
    """The dealer whose developer uses this installation as a sandbox."""

    @property
    def url(self) -> str:
        """The base URL of the pages."""
        return f"http://{self.host}:{self.port}"
