"""Who acts, when, in which transaction, and under which decisions of the company?"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commuter_service.models import AuditEntry, CompanySetting, Permission
from commuter_service.rules.company_setting import RightMissing
from fare_engine.fares.tariffs import Tariffs
from shared import request_context
from shared.context import new_id


@dataclass(frozen=True, slots=True)
class RequestContext(request_context.RequestContext):
    """One action of one person; `accounting` is the role 経費管理者 (管理 tab).

    `tariffs` is the edition of network and fares in force as the request began.
    """

    employee_id: str
    name: str
    dealer_id: str
    setting: CompanySetting
    tariffs: Tariffs
    permission: Permission
    accounting: bool

    @property
    def has_pass_master(self) -> bool:
        """Whether 定期区間マスタ is ticked for this person (R27)."""
        return self.permission.pass_master

    def need_pass_master(self) -> None:
        """Raises RightMissing."""
        if not self.has_pass_master:
            raise RightMissing("定期区間マスタの権限がありません")

    def note(  # noqa: PLR0913 - a line of the trail has these columns
        self,
        subject_id: UUID,
        employee_id: str,
        action: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        said: str | None = None,
    ) -> None:
        """Write down what this person did; `before` and `after` hold what differs (R62)."""
        line = AuditEntry(
            trail_id=new_id(),
            dealer_id=self.dealer_id,
            employee_id=employee_id,
            subject_id=subject_id,
            action=action,
            at=self.now,
            actor=self.employee_id,
            actor_name=self.name,
            before=before or {},
            after=after or {},
            said=said,
        )
        self.tx.add(line)
