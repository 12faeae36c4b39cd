"""Files that are no feed, or more than a feed may be: refused by file and row, nothing written."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fare_engine.gtfs.archive import LIMITS, FeedUnreadable, Limits
from fare_engine.gtfs.feed_import import imported

WriteFeed = Callable[..., Path]


def refusal(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(FeedUnreadable) as refused:
        imported(path, limits=limits)
    return refused.value.message


@pytest.mark.parametrize(
    ("table", "text", "sentence"),
    [
        ("stop_times", None, "必要なファイルがありません: stop_times.txt"),
        ("calendar", None, "calendar.txtかcalendar_dates.txt"),
        ("stops", "stop_id,stop_name\nA,A停\n", "stops.txt に列がありません: stop_lat、stop_lon"),
        ("trips", "route_id,trip_id\n", "trips.txt に行がありません"),
        ("routes", "route_id,route_type\n1,バス\n", "routes.txt 2行目: route_type「バス」"),
        ("agency", "agency_name\n \n", "agency.txt に行がありません"),
        ("feed_info", "feed_start_date\n2026/04/01\n", "feed_info.txt 2行目: 「2026/04/01」"),
        (
            "stop_times",
            "trip_id,stop_id,stop_sequence,arrival_time\n1-0,A,一,\n",
            "stop_times.txt 2行目: 順序「一」",
        ),
        ("stop_times", "trip_id,stop_id,stop_sequence\n1-0,A,1\n", "停まる便がありません"),
        (
            "stops",
            "stop_id,stop_name,stop_lat,stop_lon\nA,,35,139\n",
            "stops.txt 2行目: 停留所の名前",
        ),
        ("stops", "stop_id,stop_name,stop_lat,stop_lon\nA,甲,95,139\n", "緯度・経度「95, 139」"),
        ("fare_attributes", "fare_id,price,currency_type\na,inf,JPY\n", "運賃「inf」"),
        ("fare_attributes", "fare_id,price,currency_type\na,-1,JPY\n", "2行目: 運賃「-1」"),
    ],
)
def test_a_refusal_names_file_and_row(
    write_feed: WriteFeed, tmp_path: Path, table: str, text: str | None, sentence: str
) -> None:
    tables: Mapping[str, Any] = {"routes_table" if table == "routes" else table: text}
    assert sentence in refusal(write_feed(tmp_path / "feed", {"1": ("本線", ["AB"])}, **tables))


def test_other_files_and_other_encodings_are_refused(write_feed: WriteFeed, tmp_path: Path) -> None:
    text = tmp_path / "feed.zip"
    text.write_text("no zip")
    assert "zipまたはフォルダーではありません" in refusal(text)
    folder = write_feed(tmp_path / "feed", {"1": ("本線", ["AB"])})
    (folder / "stops.txt").write_bytes((folder / "stops.txt").read_text().encode("cp932"))
    assert refusal(folder) == "stops.txt の文字コードがUTF-8ではありません"


def zipped(folder: Path, *, inside: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in folder.iterdir():
            packed.write(file, inside + file.name)
    return path


def test_a_zip_with_an_outer_folder_is_read(write_feed: WriteFeed, tmp_path: Path) -> None:
    folder = write_feed(tmp_path / "feed", {"1": ("本線", ["AB"])})
    feed = imported(zipped(folder, inside="feed-2026/"))
    assert [row.station for row in feed.network.intervals] == ["A停", "B停"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(write_feed: WriteFeed, tmp_path: Path) -> None:
    path = zipped(write_feed(tmp_path / "feed", {"1": ("本線", ["AB"])}, stop_times=None))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("stop_times.txt", b"\0" * 21_000_000)
    assert path.stat().st_size < 100_000
    sentence = "stop_times.txt の大きさ(21MB)が上限(20MB)を超えています"
    assert refusal(path, Limits(file_bytes=20_000_000)) == sentence


def test_an_endless_line_and_a_broken_zip_are_refused(
    write_feed: WriteFeed, tmp_path: Path
) -> None:
    folder = write_feed(tmp_path / "feed", {"1": ("本線", ["AB"])})
    whole = zipped(folder).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "GTFSを読み込めません" in refusal(tmp_path / "cut.zip")
    (folder / "trips.txt").write_text("route_id,trip_id" + "x" * LIMITS.line)
    assert "trips.txt の1行が長すぎます" in refusal(folder)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(stop_times=4), "stop_times.txt の行数が上限(4行)を超えています"),
        (Limits(rows=2), "stops.txt の行数が上限(2行)を超えています"),
    ],
)
def test_too_many_rows_are_refused(
    write_feed: WriteFeed, tmp_path: Path, limits: Limits, sentence: str
) -> None:
    folder = write_feed(tmp_path, {"1": ("本線", ["ABCDE"])})
    assert refusal(folder, limits) == sentence
