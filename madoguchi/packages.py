"""Package of each part with a database of its own. It imports none of them: commands start fast."""

PACKAGES: dict[str, str] = {
    "contracts": "contracts_service",
    "returns": "returns_service",
    "commuter": "commuter_service",
    "notifier": "notifier_service",
    "interchange": "interchange_service",
    "portal": "portal_service",
}
