"""Docker's name server, as far as nginx asks it: names of containers, from a hosts file.

`python name_server.py HOSTS ADDRESS`, without packages: it answers on port 53 inside the gateway's
network.
"""

import socket
import sys
from pathlib import Path

HEADER, QUESTION_END = 12, 4
A_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04"


def answer(asked: bytes, known: dict[str, str]) -> bytes:
    """The response to one question: the address, nothing of this type (AAAA), or no such name."""
    labels, at = [], HEADER
    while length := asked[at]:
        labels.append(asked[at + 1 : at + 1 + length].decode())
        at += 1 + length
    question = asked[HEADER : at + 1 + QUESTION_END]
    address = known.get(".".join(labels))
    wanted = question[-QUESTION_END:-2] == b"\x00\x01"
    found = A_RECORD + socket.inet_aton(address) if address and wanted else b""
    flags = b"\x81\x80" if address else b"\x81\x83"
    counts = b"\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + b"\x00\x00\x00\x00"
    return asked[:2] + flags + counts + question + found


if __name__ == "__main__":
    lines = [line.split() for line in Path(sys.argv[1]).read_text().splitlines()]
    names = {name: address for address, name in lines}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[2], 53))
        while True:
            received, sender = server.recvfrom(512)
            server.sendto(answer(received, names), sender)
