"""Rule facts: the inputs of the rules, read from a stored contract."""

from contracts_service.models import Contract
from contracts_service.rules.completion import CompletionBasis
from contracts_service.rules.resplit import ResplitFacts
from contracts_service.rules.result_entry import EntryFacts
from contracts_service.rules.row_colour import RowFacts
from contracts_service.rules.selection import Replacement, Selection


def selection_of(contract: Contract) -> Selection | None:
    """The stored selection."""
    return Selection(contract.selection) if contract.selection else None


def completion_of(contract: Contract) -> CompletionBasis | None:
    """The basis of completion."""
    return CompletionBasis(contract.completion_basis) if contract.completion_basis else None


def replacement_of(contract: Contract) -> Replacement | None:
    """The known replacement."""
    if contract.own_replacement is None:
        return None
    return Replacement(
        contract.own_replacement,
        contract.replacement_vehicle_code,
        contract.replacement_other_text,
    )


def entry_facts(contract: Contract) -> EntryFacts:
    """Facts for 進捗・結果入力."""
    return EntryFacts(
        final_on=contract.final_on,
        selection=selection_of(contract),
        replacement=replacement_of(contract),
        late=contract.late,
        completion=completion_of(contract),
        tfc_handled=contract.tfc_handled,
        return_open=contract.open_return_id is not None,
        customer_change_pending=contract.customer_change_pending,
        first_registered_month=contract.first_registered_month,
    )


def resplit_facts(contract: Contract) -> ResplitFacts:
    """Facts for 再分割シミュレーション."""
    return ResplitFacts(
        final_on=contract.final_on,
        selection=selection_of(contract),
        completion=completion_of(contract),
        tfc_handled=contract.tfc_handled,
        return_open=contract.open_return_id is not None,
    )


def row_facts(contract: Contract) -> RowFacts:
    """Facts for the row colour."""
    return RowFacts(
        final_on=contract.final_on,
        completed=contract.completion_basis is not None,
        tfc_handled=contract.tfc_handled,
        transferred_in_on=contract.transferred_in_on,
    )
