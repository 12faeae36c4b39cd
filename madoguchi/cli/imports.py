"""Import commands: `madoguchi import-contracts FILE` and `import-masters KIND FILE`."""

import asyncio
from pathlib import Path

from rich.console import Console

from contracts_service.imports import import_contracts, import_master_file
from contracts_service.rules.import_file import ColumnsNotAsAgreed, FileUnreadable
from contracts_service.rules.master_file import MasterKind
from madoguchi.cli.databases import opened
from shared.clock import SystemClock

SHOWN = 200


async def import_files(
    file: Path, data: Path | None, url: str | None, master: MasterKind | None = None
) -> int:
    """Import a CSV of contracts or of a master, all rows or none, and print the result.

    The exit code is 1 if anything was refused.
    """
    console = Console()
    content = await asyncio.to_thread(file.read_bytes)
    try:
        async with opened("contracts", data, url) as database:
            now = SystemClock().now()
            report = (
                await import_master_file(database, master, content, now=now)
                if master
                else await import_contracts(database, content, now=now)
            )
    except (FileUnreadable, ColumnsNotAsAgreed) as refusal:
        fields = refusal.fields if isinstance(refusal, ColumnsNotAsAgreed) else ()
        for message in [fault.message for fault in fields] or [refusal.message]:
            console.print(f"{file.name}: {message}", style="red", soft_wrap=True)
        return 1
    for line in report.refused[:SHOWN]:
        reasons = " / ".join(f"{e.field}: {e.message}" for e in line.reasons)
        console.print(f"{line.line}行目  {reasons}", markup=False, soft_wrap=True)
    if report.refused:
        hidden = len(report.refused) - SHOWN
        more = f"（ほか{hidden:,}行）" if hidden > 0 else ""
        console.print(
            f"[red]{len(report.refused):,}行に誤りがあり、取り込みませんでした。[/red]{more}"
        )
        return 1
    new = "" if master else f"（新規 {report.registered:,}、変更 {report.updated:,}）"
    console.print(f"{report.accepted:,}行を取り込みました{new}。")
    return 0
