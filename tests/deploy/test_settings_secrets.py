"""Secrets in settings: no class shows one, neither when it is printed nor when it is wrong."""

import importlib
import pkgutil
import re
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

import commuter_service
import contracts_service
import interchange_service
import notifier_service
import portal_service
import returns_service
import shared
from portal_service.settings import NotForTheNetwork, PortalSettings

SECRET_NAME = re.compile(r"password|secret|_key$|_keys$|token$|database_url|rabbitmq_url")
MARK = "mark-of-a-secret"
PACKAGES = (
    *(commuter_service, contracts_service, interchange_service, notifier_service),
    *(portal_service, returns_service, shared),
)


def settings_classes() -> list[type[BaseSettings]]:
    """Every settings class of the product, also those that a class is made of."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "settings" in module.name or module.name.endswith("route_providers"):
                importlib.import_module(module.name)
    found, inside = set(), [BaseSettings]
    while inside:
        for kind in inside.pop().__subclasses__():
            inside.append(kind)
            if kind.__module__.partition(".")[0] in {package.__name__ for package in PACKAGES}:
                found.add(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


def test_all_settings_are_found() -> None:
    assert {kind.__name__ for kind in settings_classes()} >= {
        *("ServiceSettings", "PortalSettings", "NotifierSettings", "InterchangeSettings"),
        *("ContractsSettings", "ReturnsSettings", "WebhookSettings", "RouteProviderSettings"),
    }


@pytest.mark.parametrize("kind", settings_classes(), ids=lambda kind: kind.__name__)
def test_a_field_with_the_name_of_a_secret_is_one(kind: type[BaseSettings]) -> None:
    shown = {
        name
        for name, field in kind.model_fields.items()
        if SECRET_NAME.search(name) and "SecretStr" not in str(field.annotation)
    }
    assert shown == set()


@pytest.mark.parametrize("kind", settings_classes(), ids=lambda kind: kind.__name__)
def test_neither_a_print_nor_an_error_shows_a_secret(kind: type[BaseSettings]) -> None:
    secrets = {name: MARK * 3 for name in kind.model_fields if SECRET_NAME.search(name)}
    wrapped = {name: SecretStr(value) for name, value in secrets.items()}
    assert MARK not in repr(kind.model_construct(None, **wrapped))
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({**secrets, "no_such_setting": MARK, "log_level": {MARK: 1}})
    assert MARK not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, None),
        ({"public_url": "http://portal.example.jp"}, "PORTAL_PUBLIC_URL"),
        ({"oidc_issuer": "http://login.example.jp"}, "PORTAL_OIDC_ISSUER"),
        ({"session_secret": "x" * 32}, "PORTAL_SESSION_SECRET"),
        ({"public_url": "http://127.0.0.1:8080", "embedded": True}, None),
    ],
)
def test_a_portal_faces_the_network_encrypted_only(
    changes: dict[str, Any], refused: str | None
) -> None:
    given = {
        **dict.fromkeys(demanded_by(PortalSettings), "https://service.example.jp"),
        "session_secret": "0123456789abcdefghijklmnopqrstuv",
        "mail_sender": "desk@example.jp",
    }
    settings = PortalSettings(**(given | changes))
    if refused is None:
        settings.check_for_the_network()
        return
    with pytest.raises(NotForTheNetwork, match=refused):
        settings.check_for_the_network()


def demanded_by(kind: type[BaseSettings]) -> list[str]:
    return [name for name, field in kind.model_fields.items() if field.is_required()]
