"""Request and response bodies of the pass routes (R1-R10, R19-R28)."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from commuter_service.actions.passes import PassContent
from commuter_service.api.dependencies import Body, Day, RouteText, Text
from commuter_service.passes.schemas import (
    Neighbours,
    Overlap,
    PassAnswer,
    PriceLine,
    TrailLine,
)
from commuter_service.rules.pass_health import PassProblem
from commuter_service.rules.pass_price import PassPrices
from fare_engine.rules.period import Period

MOST_AT_ONCE = 100
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]
"""A number that PostgreSQL can keep; the rules decide what it may be."""


class PassBody(Body):
    """A pass: the route as the look-up decided it, its validity (R4), and its prices (R110)."""

    route: RouteText = ""
    starts_on: Day | None = None
    ends_on: Day | None = None
    one_month_yen: Number | None = None
    three_months_yen: Number | None = None
    six_months_yen: Number | None = None
    paid_every: Number | None = None
    priced_from: Day | None = None

    def content(self) -> PassContent:
        """What was typed. Raises PeriodReversed."""
        prices = PassPrices(
            self.one_month_yen,
            self.three_months_yen,
            self.six_months_yen,
            self.paid_every,
            self.priced_from,
        )
        return PassContent(self.route, Period(self.starts_on, self.ends_on), prices)


class Registration(PassBody):
    """The same for an employee."""

    employee_id: Text


class DraftPass(PassBody):
    """A pass that is not kept yet; without an employee, an own one."""

    employee_id: Text = ""


class EndBody(Body):
    """The last day."""

    ends_on: Day


class ConfirmBody(Body):
    """終了日 may be set while confirming (R9)."""

    ends_on: Day | None = None


class OneOfMany(ConfirmBody):
    """One pass of several to confirm, as it was seen."""

    pass_id: UUID
    version: int = Field(ge=0, lt=2**63)


class ManyBody(Body):
    """The ticked passes of the list."""

    passes: list[OneOfMany] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ReasonBody(Body):
    """Why."""

    reason: Text = ""


class PassQuery(BaseModel):
    """Which passes."""

    model_config = ConfigDict(extra="forbid")

    employee_id: Text | None = None
    status: Annotated[str, Field(pattern="^(confirmed|applied|withdrawn|rejected)$")] | None = None


class EmployeeQuery(BaseModel):
    """Which employees: a part of name, number or reading; `after` is where a page ended."""

    model_config = ConfigDict(extra="forbid")

    text: Text = ""
    after: Text | None = None
    size: int = Field(default=50, ge=1, le=200)


class EmployeeWithPasses(BaseModel):
    """An employee with all their passes, or none."""

    employee_id: str
    number: str
    name: str
    name_kana: str | None
    store_code: str | None
    passes: list[PassAnswer]


class EmployeesWithPasses(BaseModel):
    """A page of employees by reading; `next` leads to the following one, `count` counts all."""

    items: list[EmployeeWithPasses]
    next: str | None
    count: int


class Passes(BaseModel):
    """Passes, by employee."""

    items: list[PassAnswer]


class Offer(BaseModel):
    """Whether something may be done, and why not."""

    enabled: bool
    reason: str | None


class OwnPass(PassAnswer):
    """An own pass; an application comes with the passes that it overlaps (R8)."""

    overlaps: list[Overlap]


class MyPasses(BaseModel):
    """The own passes, and whether one may apply for another."""

    items: list[OwnPass]
    apply: Offer


class TroubledPass(BaseModel):
    """A pass that needs care, and what to do."""

    trouble: PassProblem
    words: str
    held: PassAnswer = Field(serialization_alias="pass")


class Health(BaseModel):
    """The passes that need care."""

    items: list[TroubledPass]


class CheckedPass(Neighbours):
    """A pass that is not kept yet, and what it would meet."""

    route: str
    route_words: list[str]
    section: str
    period: str
    guaranteed: bool
    notices: list[str]


class PassActions(BaseModel):
    """What this person could do now with a pass."""

    confirm: bool
    reject: bool
    edit: bool
    apply: bool
    withdraw: bool


class PassDetail(PassAnswer, Neighbours):
    """閲覧: a pass with what it meets, its prices by day, its trail, and what may be done."""

    prices: list[PriceLine]
    trail: list[TrailLine]
    actions: PassActions
