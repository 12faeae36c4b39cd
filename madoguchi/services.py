"""Services of the product, each by its module `app` (see `shared.main`)."""

from types import ModuleType

import commuter_service.app
import contracts_service.app
import interchange_service.app
import notifier_service.app
import returns_service.app
from madoguchi.packages import PACKAGES

__all__ = ["PACKAGES", "SERVICES"]

SERVICES: dict[str, ModuleType] = {
    "contracts": contracts_service.app,
    "returns": returns_service.app,
    "commuter": commuter_service.app,
    "notifier": notifier_service.app,
    "interchange": interchange_service.app,
}
