"""Environment variables of every part, derived from the settings classes."""

from collections.abc import Mapping

from pydantic_settings import BaseSettings

from madoguchi.services import SERVICES
from portal_service.settings import PortalSettings
from shared.settings import ServiceSettings


def settings_kinds() -> dict[str, type[BaseSettings]]:
    """The settings class of every part of the product, by name."""
    kinds: dict[str, type[BaseSettings]] = {
        name: getattr(app, "Settings", ServiceSettings) for name, app in SERVICES.items()
    }
    return {**kinds, "portal": PortalSettings}


def demanded(part: str) -> set[str]:
    """The names of the required variables of a part."""
    fields = settings_kinds()[part].model_fields
    return {f"{part}_{name}".upper() for name, field in fields.items() if field.is_required()}


def known(part: str) -> set[str]:
    """The names of all variables of a part."""
    return {f"{part}_{name}".upper() for name in settings_kinds()[part].model_fields}


def plausible(part: str, **given: str) -> Mapping[str, str]:
    """Values with which a part starts, connecting only to the `given` addresses."""
    values = dict.fromkeys(demanded(part), "https://nowhere.example.jp/x-as-long-as-a-secret")
    senders = {name: "nobody@example.jp" for name in values if name.endswith("_SENDER")}
    keys = {name: f"{'A' * 43}=" for name in values if name.endswith("_KEYS")}
    return (
        values | senders | keys | {f"{part}_{name}".upper(): value for name, value in given.items()}
    )


def secret(name: str) -> bool:
    """Whether a variable is a secret: keys, and URLs with a password."""
    part, _, field = name.lower().partition("_")
    kinds = settings_kinds()
    if part not in kinds or field not in kinds[part].model_fields:
        return name.endswith(("_PASSWORD", "_SECRET"))
    of_kind = kinds[part].model_fields[field].annotation
    return "SecretStr" in str(of_kind)
