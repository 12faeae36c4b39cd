"""Who may lift the block that a pending change of name or address puts on results? (D64).

Normally the completion of that change lifts it. When the completion never arrives, headquarters
does, and says why.
"""

from contracts_service.rules.contract_access import Action, role_refusal
from shared.errors import FieldError, FormErrors
from shared.roles import Role

REASON_MAX = 200


def release_block(role: Role, reason: str) -> str:
    """The reason to keep with the release.

    Raises:
        RoleMayNot: anybody but headquarters.
        FormErrors: no reason, or more than 200 characters.
    """
    if refusal := role_refusal(role, Action.RELEASE_CUSTOMER_CHANGE):
        raise refusal
    said = reason.strip()
    if not said:
        raise FormErrors(FieldError("reason", "REASON_MISSING", "理由を入力してください"))
    if len(said) > REASON_MAX:
        message = f"理由は{REASON_MAX}文字以内で入力してください"
        raise FormErrors(FieldError("reason", "REASON_TOO_LONG", message))
    return said
