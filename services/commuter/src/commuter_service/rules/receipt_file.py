"""Receipt file: is it a whole PDF, JPEG, PNG or HEIC, and nothing else besides (R98)?

A file is judged by its bytes; its name and the type that a browser states do not count. Pictures
are measured by their headers alone, nothing is unpacked: a small file that unpacks to a huge
picture is refused by the size that its header states.

Formats: PDF ISO 32000-2 7.5; JPEG ITU-T T.81 annex B; PNG W3C (third edition) 5; HEIC ISO/IEC
23008-12 with the boxes of ISO/IEC 14496-12.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import FieldError, FormErrors

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
FIELD = "file"
_HEAD, _TAIL = 1024, 1024
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"})
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 66_000
"""A ZIP archive is found by its end, which lies within its longest comment of the file's end."""
_MARKUP = (b"<html", b"<script", b"<!doctype", b"<svg", b"<?php")


class ReceiptKind(StrEnum):
    """What a receipt is; the value is its media type."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    HEIC = "image/heic"

    @property
    def shown_by_browsers(self) -> bool:
        """Whether it is a picture that every browser shows; all others are downloaded."""
        return self in {ReceiptKind.JPEG, ReceiptKind.PNG}

    @property
    def ending(self) -> str:
        """The ending of its file name."""
        return {"application/pdf": "pdf", "image/jpeg": "jpg"}.get(self.value, self.name.lower())


@dataclass(frozen=True, slots=True)
class _Fault(Exception):
    code: str
    message: str


_WRONG_TYPE = _Fault(
    "RECEIPT_TYPE", "PDF、JPEG、PNG、HEIC のファイルを選んでください。この形式は登録できません"
)
_BROKEN = _Fault(
    "RECEIPT_BROKEN",
    "ファイルが壊れているか、途中で切れています。撮り直すか、もう一度保存し直してください",
)
_MIXED = _Fault(
    "RECEIPT_MIXED",
    "ファイルの中に別の形式のデータが含まれているため、登録できません。撮り直してください",
)
_TOO_MANY_PIXELS = _Fault(
    "RECEIPT_PIXELS",
    "画像が大きすぎます（5,000万画素まで）。カメラの画質を下げて撮り直してください",
)


def check_size(size: int) -> None:
    """Refuse a file that is empty or larger than 10 MB. Raises FormErrors."""
    if size == 0:
        raise FormErrors(FieldError(FIELD, "RECEIPT_EMPTY", "ファイルが空です"))
    if size > MOST_BYTES:
        message = "ファイルが大きすぎます（10MBまで）。画質を下げて撮り直してください"
        raise FormErrors(FieldError(FIELD, "RECEIPT_TOO_LARGE", message))


def receipt_kind(content: bytes) -> ReceiptKind:
    """What a file is. Raises FormErrors for what is no receipt, or more than one thing."""
    check_size(len(content))
    try:
        kind = _kind_by_magic(content)
        _check_pure(kind, content)
        _CHECKS[kind](content)
    except _Fault as fault:
        raise FormErrors(FieldError(FIELD, fault.code, fault.message)) from None
    except (struct.error, IndexError):
        raise FormErrors(FieldError(FIELD, _BROKEN.code, _BROKEN.message)) from None
    return kind


def _kind_by_magic(content: bytes) -> ReceiptKind:
    if content.startswith(b"%PDF-"):
        return ReceiptKind.PDF
    if content.startswith(b"\xff\xd8\xff"):
        return ReceiptKind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ReceiptKind.PNG
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return ReceiptKind.HEIC
    raise _WRONG_TYPE


def _check_pure(kind: ReceiptKind, content: bytes) -> None:
    """Refuse a file that another program would take for something else."""
    head = content[:_HEAD].lower()
    if kind is not ReceiptKind.PDF and b"%pdf-" in head:
        raise _MIXED
    if kind is not ReceiptKind.PDF and any(word in head for word in _MARKUP):
        raise _MIXED
    if _ZIP_END in content[-_ZIP_TAIL:]:
        raise _MIXED


def _check_pdf(content: bytes) -> None:
    if b"%%EOF" not in content[-_TAIL:]:
        raise _BROKEN


def _check_jpeg(content: bytes) -> None:
    """Walk over the segments to the first scan; the picture must end somewhere behind it."""
    at, pixels = 2, 0
    while True:
        if content[at] != 0xFF:  # noqa: PLR2004 - the mark of a segment
            raise _BROKEN
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            at += 1
            continue
        if marker == _JPEG_END:
            raise _BROKEN
        if marker in _JPEG_ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            pixels = height * width
        at += 2 + length
        if marker == _JPEG_SCAN:
            break
    _check_pixels(pixels)
    if content.find(b"\xff\xd9", at) < 0:
        raise _BROKEN


def _check_png(content: bytes) -> None:
    """Walk over the chunks: the first states the size, and nothing follows the last."""
    if content[12:16] != b"IHDR":
        raise _BROKEN
    width, height = struct.unpack_from(">II", content, 16)
    _check_pixels(width * height)
    at, has_data = 8, False
    while content[at + 4 : at + 8] != b"IEND":
        (length,) = struct.unpack_from(">I", content, at)
        has_data = has_data or content[at + 4 : at + 8] == b"IDAT"
        at += 12 + length
    if not has_data:
        raise _BROKEN
    if len(content) < at + 12:
        raise _BROKEN
    if len(content) > at + 12:
        raise _MIXED


def _check_heic(content: bytes) -> None:
    """The boxes must fill the file; `ispe` states the size of a picture and of its tiles."""
    found = dict[bytes, bytes]()
    for name, body in _boxes(content):
        found.setdefault(name, body)
    if b"meta" not in found or b"mdat" not in found:
        raise _BROKEN
    sizes, at = [0], found[b"meta"].find(b"ispe")
    while at >= 0:
        width, height = struct.unpack_from(">II", found[b"meta"], at + 8)
        sizes.append(width * height)
        at = found[b"meta"].find(b"ispe", at + 4)
    _check_pixels(max(sizes))


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, at + 8)
        elif size == 0:
            size = len(content) - at
        if size < 8 or at + size > len(content):  # noqa: PLR2004 - a box has a head of 8 bytes
            raise _BROKEN
        yield name, content[at + 8 : at + size]
        at += size


def _check_pixels(pixels: int) -> None:
    if pixels == 0:
        raise _BROKEN
    if pixels > MOST_PIXELS:
        raise _TOO_MANY_PIXELS


_CHECKS = {
    ReceiptKind.PDF: _check_pdf,
    ReceiptKind.JPEG: _check_jpeg,
    ReceiptKind.PNG: _check_png,
    ReceiptKind.HEIC: _check_heic,
}
