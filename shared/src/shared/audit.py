"""Audit entries: the columns that every history has in common."""

from datetime import datetime

from sqlalchemy.orm import Mapped


class AuditEntry:
    """Mixin of a table whose rows say what was done to something of a dealer, and are only added.

    A table with other names for its columns maps them to these attributes.
    """

    dealer_id: Mapped[str]
    at: Mapped[datetime]
    action: Mapped[str]
