"""Request context: who acts, when, in which transaction, under which settings of the company."""

from dataclasses import dataclass

from commuter_service.models import CompanySetting, Permission
from commuter_service.rules.company_setting import RightMissing
from fare_engine.fares.tariffs import Tariffs
from shared import request_context


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
