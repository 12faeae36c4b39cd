"""Tables of commuting allowances: prices of passes from a day on, and who comes by car."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from commuter_service.models import Base


class PassPrice(Base):
    """Prices of a pass in force from a day on, until the next row's day (R111)."""

    __tablename__ = "pass_price"

    pass_id: Mapped[UUID] = mapped_column(ForeignKey("commuter_pass.pass_id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    one_month_yen: Mapped[int | None]
    three_months_yen: Mapped[int | None]
    six_months_yen: Mapped[int | None]
    paid_every: Mapped[int | None]
    made_at: Mapped[datetime]
    made_by_name: Mapped[str]


class EmployeeCar(Base):
    """An employee who comes by car or bicycle, from a month on; `km10` is the one-way distance."""

    __tablename__ = "car_commute"
    __table_args__ = (Index("car_commute_by_employee", "dealer_id", "employee_id", "first_month"),)

    car_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    first_month: Mapped[date]
    last_month: Mapped[date | None]
    km10: Mapped[int]
    monthly_yen: Mapped[int]
