"""Virus scan of uploaded receipts: clamd by its socket, or a program; infected files are refused.

clamd: the command INSTREAM of its protocol (clamd(8)). A program gets the file on its standard
input and answers by its exit code, as clamscan does: 0 clean, 1 infected, anything else an error.
A scan that does not work refuses the file as well, with another code.
"""

import asyncio
import shlex
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

import structlog

from commuter_service.rules.receipt_file import FIELD
from commuter_service.settings import CommuterSettings
from shared.errors import FieldError, FormErrors, Kind, Refusal

log = structlog.get_logger()

SCAN_S = 30
_CLEAN, _INFECTED = 0, 1


class ScanUnavailable(Refusal):
    """The scanner does not answer, so that nothing is taken."""

    code: ClassVar[str] = "RECEIPT_SCAN_UNAVAILABLE"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    message = "ウイルス検査ができないため、保存しませんでした。しばらくしてからお試しください"


Scan = Callable[[bytes], Awaitable[None]]
"""Raises FormErrors for an infected file, ScanUnavailable."""


async def no_scan(_: bytes) -> None:
    """Nothing is set."""


def scan_of(settings: CommuterSettings) -> Scan:
    """The scan that the settings name."""
    if settings.scan_clamd:
        return partial(_checked, partial(_ask_clamd, settings.scan_clamd))
    if settings.scan_command:
        return partial(_checked, partial(_ask_program, shlex.split(settings.scan_command)))
    return no_scan


async def _checked(is_clean: Callable[[bytes], Awaitable[bool]], content: bytes) -> None:
    try:
        async with asyncio.timeout(SCAN_S):
            clean = await is_clean(content)
    except (OSError, EOFError, ScanFailed) as cause:
        log.warning("receipt_scan_failed", cause=type(cause).__name__)
        raise ScanUnavailable from cause
    if not clean:
        message = "ウイルス検査で問題が見つかったため、登録できません"
        raise FormErrors(FieldError(FIELD, "RECEIPT_INFECTED", message))


class ScanFailed(Exception):
    """The scanner answered neither clean nor infected."""


async def _ask_clamd(address: str, content: bytes) -> bool:
    host, _, port = address.rpartition(":")
    opened = (
        asyncio.open_unix_connection(address)
        if address.startswith("/")
        else asyncio.open_connection(host, int(port))
    )
    reader, writer = await opened
    try:
        writer.write(b"zINSTREAM\0" + struct.pack(">I", len(content)) + content + bytes(4))
        await writer.drain()
        answer = (await reader.readuntil(b"\0")).rstrip(b"\0")
    finally:
        writer.close()
    if answer.endswith(b"OK"):
        return True
    if answer.endswith(b"FOUND"):
        return False
    raise ScanFailed


async def _ask_program(command: Sequence[str], content: bytes) -> bool:
    program = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await program.communicate(content)
    finally:
        if program.returncode is None:
            program.kill()
    if program.returncode not in {_CLEAN, _INFECTED}:
        raise ScanFailed
    return program.returncode == _CLEAN
