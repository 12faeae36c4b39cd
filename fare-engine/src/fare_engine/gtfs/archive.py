"""Feed archive: the tables of a GTFS feed, a zip or a folder, row by row and within limits.

A table is never held as a whole, so memory stays bounded whatever the file holds: sizes are
checked before anything is unpacked, rows and their lengths while they are read.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar, Self

from fare_engine.errors import FareError

NEEDED = ("agency", "routes", "trips", "stops", "stop_times")
READ = frozenset(
    (
        *NEEDED,
        *(
            "feed_info",
            "calendar",
            "calendar_dates",
            "translations",
            "fare_attributes",
            "fare_rules",
        ),
        *("fare_products", "fare_leg_rules", "fare_media", "rider_categories", "stop_areas"),
        *("route_networks", "fare_transfer_rules"),
    )
)
PROGRESS_ROWS = 250_000
FAULTS = (
    OSError,
    EOFError,
    RuntimeError,  # encrypted
    NotImplementedError,  # a compression that Python lacks
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
)
Progress = Callable[[str], None]
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a feed may hold; the largest of Japan are far below."""

    file_bytes: int = 400_000_000
    rows: int = 1_000_000
    stop_times: int = 3_000_000
    line: int = 65_536


LIMITS = Limits()


class FeedUnreadable(FareError):
    """The file is no feed, or a table or column that the standard demands is missing."""

    code: ClassVar[str] = "FEED_UNREADABLE"

    @classmethod
    def at(cls, file: str, row: int, fact: str) -> "FeedUnreadable":
        """The refusal for one row of a file."""
        return cls(f"{file}.txt {row}行目: {fact}")


class FeedArchive:
    """An opened feed. FeedUnreadable where it is none, lacks a file or passes a limit."""

    def __init__(
        self, path: Path, progress: Progress = lambda _: None, limits: Limits = LIMITS
    ) -> None:
        self._progress = progress
        self._limits = limits
        self._tables: dict[str, tuple[Callable[[], IO[bytes]], int]] = {}
        with ExitStack() as opened:
            try:
                found = _files(path) if path.is_dir() else _members(path, opened)
                for name, opener, size in found:
                    self._tables.setdefault(name, (opener, size))
            except FAULTS as fault:
                raise FeedUnreadable(
                    f"GTFSを読み込めません: {path.name}(zipまたはフォルダーではありません: {fault})"
                ) from None
            self._check()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def __contains__(self, table: str) -> bool:
        return table in self._tables

    def rows(
        self, table: str, needed: Sequence[str], optional: Sequence[str] = ()
    ) -> Iterator[Row]:
        """Line number and values of the columns, stripped; "" where a value is missing.

        Nothing where the feed has no such table.
        """
        if table not in self._tables:
            return
        self._progress(f"{table}.txt を読み込んでいます")
        try:
            raw = self._opened.enter_context(self._tables[table][0]())
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            self._opened.enter_context(text)
            yield from self._values(table, text, needed, optional)
        except UnicodeDecodeError:
            raise FeedUnreadable(f"{table}.txt の文字コードがUTF-8ではありません") from None
        except FAULTS as fault:
            raise FeedUnreadable(f"{table}.txt を読み込めません({fault})") from None

    def _values(
        self, table: str, text: io.TextIOWrapper, needed: Sequence[str], optional: Sequence[str]
    ) -> Iterator[Row]:
        reader = csv.reader(_lines(table, text, self._limits.line))
        header = [title.strip() for title in next(reader, [])]
        if not any(header) and table not in NEEDED:
            return
        missing = [title for title in needed if title not in header]
        if missing:
            raise FeedUnreadable(f"{table}.txt に列がありません: {'、'.join(missing)}")
        at = [header.index(t) if t in header else len(header) for t in (*needed, *optional)]
        limits = self._limits
        count, limit = 0, limits.stop_times if table == "stop_times" else limits.rows
        for cells in reader:
            if not any(map(str.strip, cells)):
                continue
            count += 1
            if count > limit:
                raise FeedUnreadable(f"{table}.txt の行数が上限({limit:,}行)を超えています")
            if count % PROGRESS_ROWS == 0:
                self._progress(f"{table}.txt: {count:,}行")
            yield reader.line_num, [cells[i].strip() if i < len(cells) else "" for i in at]
        if count == 0 and table in NEEDED:
            raise FeedUnreadable(f"{table}.txt に行がありません")

    def _check(self) -> None:
        missing = [f"{table}.txt" for table in NEEDED if table not in self._tables]
        if missing:
            raise FeedUnreadable(f"GTFSに必要なファイルがありません: {'、'.join(missing)}")
        if "calendar" not in self and "calendar_dates" not in self:
            raise FeedUnreadable(
                "GTFSに必要なファイルがありません: calendar.txtかcalendar_dates.txtのどちらか"
            )
        for table, (_, size) in self._tables.items():
            if size > self._limits.file_bytes:
                raise FeedUnreadable(
                    f"{table}.txt の大きさ({size // 1_000_000:,}MB)が上限"
                    f"({self._limits.file_bytes // 1_000_000:,}MB)を超えています"
                )


def _files(folder: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]], int]]:
    for file in sorted(folder.glob("*.txt")):
        if file.stem in READ:
            yield file.stem, partial(_open, file), file.stat().st_size


def _open(file: Path) -> IO[bytes]:
    return file.open("rb")


def _members(path: Path, opened: ExitStack) -> Iterator[tuple[str, Callable[[], IO[bytes]], int]]:
    """The tables of a zip, those in an outer folder first: some publishers pack a folder."""
    packed = opened.enter_context(zipfile.ZipFile(path))
    by_depth = sorted(packed.infolist(), key=lambda one: one.filename.count("/"))
    for member in by_depth:
        name = PurePosixPath(member.filename)
        if name.suffix == ".txt" and name.stem in READ and name.parts[0] != "__MACOSX":
            yield name.stem, partial(packed.open, member), member.file_size


def _lines(table: str, text: io.TextIOWrapper, most: int) -> Iterator[str]:
    while line := text.readline(most):
        if len(line) == most:
            raise FeedUnreadable(f"{table}.txt の1行が長すぎます({most:,}文字以上)")
        yield line
