"""Services of the product, each by its module `app` (see `shared.main`)."""

from types import ModuleType

import commuter_service.app
import contracts_service.app
import interchange_service.app
import notifier_service.app
import returns_service.app

SERVICES: dict[str, ModuleType] = {
    "contracts": contracts_service.app,
    "returns": returns_service.app,
    "commuter": commuter_service.app,
    "notifier": notifier_service.app,
    "interchange": interchange_service.app,
}

PACKAGES: dict[str, str] = {
    **{name: app.SERVICE.package for name, app in SERVICES.items()},
    "portal": "portal_service",
}
"""The package of everything with a database of its own, by name."""
