"""Audit entries: the columns that every history table has in common."""

from datetime import datetime

from sqlalchemy.orm import Mapped


class AuditEntry:
    """Mixin of an append-only table whose rows record what was done to a dealer's record.

    A table with other names for its columns maps them to these attributes.
    """

    dealer_id: Mapped[str]
    at: Mapped[datetime]
    action: Mapped[str]
