"""Master data files: accepted lines, and what is wrong with the others (C4, D).

Dealers, stores, staff, products, vehicles and calendar exceptions, each with its own agreed
columns; encodings, headings and refusals are those of the contract file.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts_service.rules import import_cell as cell
from contracts_service.rules.import_file import RefusedLine, lines_of
from shared.errors import FieldError

EVERY_DEALER = "*"
DEALER, STORE = "販売店コード", "店舗コード"
ROLES = {"営業スタッフ": "sales", "店長": "manager", "本部担当者": "hq"}


class MasterKind(StrEnum):
    """The kind of master data in a file."""

    DEALERS = "dealers"
    STORES = "stores"
    STAFF = "staff"
    PRODUCTS = "products"
    VEHICLES = "vehicles"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPlaces:
    """Known dealers, and stores as (dealer, store)."""

    dealers: Collection[str]
    stores: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterLine:
    """An accepted line, by column names of its table; line numbers start at 1."""

    line: int
    values: cell.Values


def _stated(written: str) -> bool:
    if not written.strip():
        raise cell.CellRefused("MISSING", "値がありません")
    return cell.flag(written)


def _role(written: str) -> str:
    role = ROLES.get(written.strip(), written.strip())
    if role not in ROLES.values():
        raise cell.CellRefused("ROLE_UNKNOWN", f"{'・'.join(ROLES)}のいずれかを入力してください")
    return role


def _dealer_or_all(written: str) -> str:
    return EVERY_DEALER if written.strip() in {"", EVERY_DEALER} else cell.code(written) or ""


_CODE, _NAME = cell.required(cell.code), cell.required(cell.text)
MASTER_COLUMNS: Mapping[MasterKind, Mapping[str, tuple[str, cell.Reader]]] = {
    MasterKind.DEALERS: {DEALER: ("dealer_id", _CODE), "販売店名": ("name", _NAME)},
    MasterKind.STORES: {
        DEALER: ("dealer_id", _CODE),
        STORE: ("store_code", _CODE),
        "店舗名": ("name", _NAME),
        "電話番号": ("phone", cell.phone),
        "未使用": ("unused", cell.flag),
    },
    MasterKind.STAFF: {
        DEALER: ("dealer_id", _CODE),
        "スタッフコード": ("staff_code", _CODE),
        "氏名": ("name", _NAME),
        "氏名カナ": ("name_kana", cell.kana),
        "役割": ("role", _role),
        STORE: ("store_code", cell.code),
        "携帯電話": ("mobile_phone", cell.phone),
        "メール": ("mail", cell.mail),
        "在籍": ("active", _stated),
    },
    MasterKind.PRODUCTS: {
        "制度コード": ("code", _CODE),
        "制度": ("name", _NAME),
        "返却": ("return_allowed", _stated),
        "別途手続": ("separate_procedure", _stated),
        "店舗・スタッフ変更": ("transferable", _stated),
        "リース": ("is_lease", _stated),
    },
    MasterKind.VEHICLES: {
        DEALER: ("dealer_id", _dealer_or_all),
        "車種コード": ("vehicle_code", _CODE),
        "車種": ("name", _NAME),
        "選択可": ("active", _stated),
    },
    MasterKind.CALENDAR: {
        "日付": ("exception_on", cell.required(cell.day)),
        "営業": ("is_open", _stated),
    },
}
_KEYS: Mapping[MasterKind, tuple[str, ...]] = {
    MasterKind.DEALERS: ("dealer_id",),
    MasterKind.STORES: ("dealer_id", "store_code"),
    MasterKind.STAFF: ("dealer_id", "staff_code"),
    MasterKind.PRODUCTS: ("code",),
    MasterKind.VEHICLES: ("dealer_id", "vehicle_code"),
    MasterKind.CALENDAR: ("exception_on",),
}


def read_master_file(
    kind: MasterKind, content: bytes, known: KnownPlaces
) -> Iterator[MasterLine | RefusedLine]:
    """The lines of the file, in order; a repeated key is refused at its second line.

    Raises:
        FileUnreadable, ColumnsNotAsAgreed: as for a contract file.
    """
    columns, seen = MASTER_COLUMNS[kind], dict[tuple[object, ...], int]()
    for line, cells in lines_of(content, tuple(columns)):
        values, wrong = _read(columns, cells)
        if not wrong:
            wrong = _misplaced(kind, values, known)
            first = seen.setdefault(tuple(values[name] for name in _KEYS[kind]), line)
            if first != line:
                message = f"{first}行目と{line}行目が重複しています"
                wrong.append(FieldError(next(iter(columns)), "LINE_TWICE", message))
        if wrong:
            yield RefusedLine(line=line, contract_no="", reasons=tuple(wrong))
        else:
            yield MasterLine(line=line, values=values)


def _read(
    columns: Mapping[str, tuple[str, cell.Reader]], cells: list[str]
) -> tuple[cell.Values, list[FieldError]]:
    if len(cells) != len(columns):
        message = f"列の数が{len(columns)}ではなく{len(cells)}です"
        return {}, [FieldError("", "CELL_COUNT", message)]
    values: cell.Values = {}
    wrong: list[FieldError] = []
    for (column, (name, read)), written in zip(columns.items(), cells, strict=True):
        try:
            values[name] = read(written)
        except cell.CellRefused as refused:
            wrong.append(FieldError(column, refused.code, refused.message))
    return values, wrong


def _misplaced(kind: MasterKind, values: cell.Values, known: KnownPlaces) -> list[FieldError]:
    """Errors of unknown dealers or stores, and of staff with a wrong or missing store."""
    dealer = values.get("dealer_id")
    if kind is MasterKind.DEALERS or dealer in {None, EVERY_DEALER}:
        return []
    if dealer not in known.dealers:
        return [FieldError(DEALER, "DEALER_UNKNOWN", f"販売店「{dealer}」は登録されていません")]
    return _store_fault(dealer, values, known) if kind is MasterKind.STAFF else []


def _store_fault(dealer: str, values: cell.Values, known: KnownPlaces) -> list[FieldError]:
    store = values["store_code"]
    if values["role"] == "hq":
        message = "本部担当者には店舗コードを入力しないでください"
        return [FieldError(STORE, "STORE_OF_HEADQUARTERS", message)] if store else []
    if store is None:
        return [FieldError(STORE, "MISSING", "値がありません")]
    if (dealer, store) not in known.stores:
        message = f"店舗「{store}」は販売店「{dealer}」に登録されていません"
        return [FieldError(STORE, "STORE_UNKNOWN", message)]
    return []
