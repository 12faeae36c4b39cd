"""Tables of the portal: ended sessions, used logout tokens, and the access log.

session_end   what was ended: one session, those of a person, or those of a provider's session
logout_token  ids of the provider's logout tokens, so that none works twice
access_log    who did or saw what, and what was refused; rows can only be added
"""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of this service."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own way to say it
        str: Text,
        datetime: DateTime(timezone=True),
    }


class SessionEnd(Base):
    """Sessions of `key` that began at or before `ended_at` have ended; `until` no cookie is left.

    `kind` is session (the key is its id), person (person id), subject (the provider's account) or
    provider_session (the provider's `sid`).
    """

    __tablename__ = "session_end"
    __table_args__ = (Index("session_end_by_record", "recorded_at"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime]
    until: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class LogoutToken(Base):
    """The id (`jti`) of a logout token that was used, kept until the token is too old anyway."""

    __tablename__ = "logout_token"

    jti: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class AccessLog(Base):
    """One access: who (ids only), from where, on which route, with which outcome, about what."""

    __tablename__ = "access_log"
    __table_args__ = (
        Index("access_log_by_time", "at"),
        Index("access_log_by_actor", "actor", "position"),
        Index("access_log_by_object", "object_id", "position"),
    )

    position: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True, sort_order=-1
    )
    at: Mapped[datetime]
    action: Mapped[str]
    outcome: Mapped[str]
    actor: Mapped[str | None]
    client: Mapped[str | None]
    session: Mapped[str | None]
    method: Mapped[str]
    route: Mapped[str]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    code: Mapped[str | None]
    object_kind: Mapped[str | None]
    object_id: Mapped[str | None]
    row_count: Mapped[int | None]
    request_id: Mapped[str | None]
