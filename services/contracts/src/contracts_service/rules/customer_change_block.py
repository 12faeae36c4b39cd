"""Customer change block: who may lift the block on results? (D64).

Normally the completion of the name or address change lifts it. If it never arrives, headquarters
lifts it with a reason.
"""

from contracts_service.rules.contract_access import Action, role_refusal
from shared.errors import FieldError, FormErrors
from shared.roles import Role

REASON_MAX = 200


def release_block(role: Role, reason: str) -> str:
    """The reason to store with the release.

    Raises:
        RoleMayNot: any role but headquarters.
        FormErrors: no reason, or more than 200 characters.
    """
    if refusal := role_refusal(role, Action.RELEASE_CUSTOMER_CHANGE):
        raise refusal
    text = reason.strip()
    if not text:
        raise FormErrors(FieldError("reason", "REASON_MISSING", "理由を入力してください"))
    if len(text) > REASON_MAX:
        message = f"理由は{REASON_MAX}文字以内で入力してください"
        raise FormErrors(FieldError("reason", "REASON_TOO_LONG", message))
    return text
