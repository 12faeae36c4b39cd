"""A network as compose makes one: a bridge, and for each container its own address and ports."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOW_TO_GET_IT = "Containers' networks need root and ip (Debian: apt-get install iproute2)."


def available() -> bool:
    """Whether this machine can make networks."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


def ip(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True)


@dataclass(frozen=True)
class Network:
    """The containers by name, with the last number of their address; 1 is this machine."""

    bridge: str
    subnet: str
    containers: Sequence[str]

    @property
    def gateway(self) -> str:
        """The address of this machine, where the test listens."""
        return f"{self.subnet}.1"

    def address(self, name: str) -> str:
        """The address of a container."""
        return f"{self.subnet}.{self.containers.index(name) + 10}"

    def inside(self, name: str) -> list[str]:
        """The beginning of a command that runs in the network of a container."""
        return ["nsenter", f"--net=/run/netns/{self.bridge}-{name}"]

    def hosts(self, **others: str) -> str:
        """An /etc/hosts with every container by name, and with others."""
        known = {name: self.address(name) for name in self.containers} | others
        lines = [f"{address} {name}" for name, address in known.items()]
        return "\n".join(["127.0.0.1 localhost", *lines, ""])


@contextlib.contextmanager
def network(containers: Sequence[str]) -> Iterator[Network]:
    """Make a network, and remove it in the end; the addresses are private ones of nobody here."""
    made = Network(f"mdg{os.getpid()}-"[-10:], f"172.30.{os.getpid() % 250}", containers)
    try:
        ip("link", "add", made.bridge, "type", "bridge")
        ip("addr", "add", f"{made.gateway}/24", "dev", made.bridge)
        ip("link", "set", made.bridge, "up")
        for name in containers:
            space, end = f"{made.bridge}-{name}", f"{made.bridge}{containers.index(name)}"
            ip("netns", "add", space)
            ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", end, "master", made.bridge, "up")
            ip("-n", space, "addr", "add", f"{made.address(name)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield made
    finally:
        ends = [f"{made.bridge}{number}" for number in range(len(containers))]
        words = [
            *(["link", "del", end] for end in (*ends, made.bridge)),
            *(["netns", "del", f"{made.bridge}-{name}"] for name in containers),
        ]
        for one in words:
            subprocess.run(["ip", *one], check=False, capture_output=True)


def listens(address: str, port: int) -> bool:
    """Whether a server listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
