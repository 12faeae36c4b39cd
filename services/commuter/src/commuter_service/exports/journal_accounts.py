"""The accounts of a company as the rules read them, and as they are kept."""

from commuter_service.models import AccountingSetting, AccountJson, AccountsJson
from commuter_service.rules.journal_formats import LAYOUTS, JournalFormat
from commuter_service.rules.journal_lines import (
    USUAL_CREDIT,
    USUAL_DEBITS,
    Account,
    JournalAccounts,
    TaxTreatment,
)
from commuter_service.rules.slip_kind import SlipKind


def usual_setting(dealer_id: str) -> AccountingSetting:
    """What holds before anything was saved, with version 0."""
    usual = JournalAccounts(USUAL_DEBITS, USUAL_CREDIT, LAYOUTS[JournalFormat.YAYOI].tax_words)
    return AccountingSetting(
        dealer_id=dealer_id, version=0, target=JournalFormat.YAYOI.value, **as_json(usual)
    )


def as_json(accounts: JournalAccounts) -> AccountsJson:
    """As they are kept."""
    return {
        "debits": {kind.name.lower(): _kept(one) for kind, one in accounts.debits.items()},
        "credit": _kept(accounts.credit),
        "tax_words": {one.value: word for one, word in accounts.tax_words.items()},
        "departments": dict(accounts.departments),
    }


def accounts_of(kept: AccountsJson) -> JournalAccounts:
    """As the rules read them."""
    return JournalAccounts(
        {SlipKind[kind.upper()]: _account(one) for kind, one in kept["debits"].items()},
        _account(kept["credit"]),
        {TaxTreatment(one): word for one, word in kept["tax_words"].items()},
        kept["departments"],
    )


def accounts_json(setting: AccountingSetting) -> AccountsJson:
    """The accounts that stand in a setting."""
    return {
        "debits": setting.debits,
        "credit": setting.credit,
        "tax_words": setting.tax_words,
        "departments": setting.departments,
    }


def _kept(one: Account) -> AccountJson:
    return {"account": one.account, "sub_account": one.sub_account, "taxed": one.taxed}


def _account(kept: AccountJson) -> Account:
    return Account(kept["account"], kept["sub_account"], kept["taxed"])
