"""Master data to import: dealers with their stores and staff, and the models that they sell."""

from dataclasses import dataclass

from shared.roles import Role


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A store; an unused code (未使用) is kept but may not be chosen."""

    code: str
    name: str
    phone: str
    unused: bool = False


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A staff member; headquarters staff have no store."""

    code: str
    name: str
    name_kana: str
    role: Role
    store_code: str | None
    mail: str
    mobile: str


@dataclass(frozen=True, slots=True)
class DealerFacts:
    """A dealer with its stores and staff."""

    code: str
    name: str
    stores: tuple[StoreFacts, ...]
    staff: tuple[PersonFacts, ...]


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """A model of car."""

    code: str
    name: str
