"""Who may enter a slip for somebody else (代理申請, R97)?

Accounting, where the company allows it. The slip belongs to its owner, whose passes deduct and who
is paid; the person who entered it may edit, submit, withdraw, copy and delete it as the owner may,
and does not approve it.
"""

from typing import ClassVar

from shared.errors import Kind, Refusal


class DelegateEntryNotAllowed(Refusal):
    """The company, or the person's role, does not allow slips for others."""

    code: ClassVar[str] = "DELEGATE_ENTRY_NOT_ALLOWED"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


def check_delegate_entry(*, accounting: bool, company_allows: bool) -> None:
    """Refuse a slip for somebody else."""
    if not accounting:
        raise DelegateEntryNotAllowed("代理申請ができるのは経理だけです")
    if not company_allows:
        raise DelegateEntryNotAllowed("代理申請は許可されていません。システム設定で許可できます")
