"""Receipt files made byte by byte: whole ones of every format, and wrong ones."""

import struct
import zlib


def jpeg(width: int = 40, height: int = 30, *, comment: bytes = b"", end: bytes = b"") -> bytes:
    """A JPEG by its segments; the scan is not meant to be decoded."""
    said = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment if comment else b""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"\x12\x34"
    return b"\xff\xd8" + said + b"\xff\xc0" + frame + scan + b"\xff\xd9" + end


def png(width: int = 8, height: int = 8, end: bytes = b"") -> bytes:
    """A PNG that decodes, where it is small."""
    small = width * height < 1_000_000
    rows = zlib.compress((b"\0" + bytes(3 * width)) * height) if small else zlib.compress(bytes(9))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts) + end


def chunk(name: bytes, body: bytes) -> bytes:
    checked = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checked


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def heic(width: int = 4032, height: int = 3024, brand: bytes = b"heic") -> bytes:
    size = box(b"ispe", bytes(4) + struct.pack(">II", width, height))
    inner = box(b"iprp", box(b"ipco", size))
    return box(b"ftyp", brand + bytes(4)) + box(b"meta", bytes(4) + inner) + box(b"mdat", b"tile")


def pdf(text: str = "領収書", end: bytes = b"") -> bytes:
    body = f"1 0 obj\n<< /Title ({text}) >>\nendobj\n".encode()
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n" + end


ZIP_END = b"PK\x05\x06" + bytes(18)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file by which scanners are tested (eicar.org)."""
