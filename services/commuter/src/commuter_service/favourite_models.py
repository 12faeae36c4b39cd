"""Table of favourite rides (よく使う経路)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from commuter_service.models import Base as Base  # noqa: PLC0414 - with the table below, it is whole


class FavouriteRide(Base):
    """A route that an employee rides often, as one of their items had it."""

    __tablename__ = "favourite_ride"
    __table_args__ = (UniqueConstraint("employee_id", "route", "medium", "round_trip"),)

    favourite_id: Mapped[UUID] = mapped_column(primary_key=True)
    dealer_id: Mapped[str]
    employee_id: Mapped[str]
    route: Mapped[str]
    medium: Mapped[str]
    round_trip: Mapped[bool]
    kept_at: Mapped[datetime]
