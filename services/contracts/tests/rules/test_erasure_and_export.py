"""When a customer may be erased, and how many rows a file for Excel may have."""

import pytest

from contracts_service.rules.customer_erasure import (
    ContractStillOpen,
    ErasureFacts,
    ReturnStillOpen,
    check_erasure,
)
from contracts_service.rules.search_limit import (
    ROWS_IN_EXCEL,
    TooManyForExcel,
    refuse_too_many_for_excel,
)
from shared.errors import Refusal


@pytest.mark.parametrize(
    ("completed", "return_open", "move_pending", "refusal"),
    [
        (True, False, False, None),
        (False, False, False, ContractStillOpen),
        (True, False, True, ContractStillOpen),
        (True, True, False, ReturnStillOpen),
        (False, True, True, ReturnStillOpen),
    ],
)
def test_nothing_may_be_open(
    completed: bool, return_open: bool, move_pending: bool, refusal: type[Refusal] | None
) -> None:
    facts = ErasureFacts(completed=completed, return_open=return_open, move_pending=move_pending)
    if refusal is None:
        check_erasure(facts)
    else:
        with pytest.raises(refusal):
            check_erasure(facts)


def test_excel_opens_a_full_sheet_and_no_row_more() -> None:
    refuse_too_many_for_excel(ROWS_IN_EXCEL)
    with pytest.raises(TooManyForExcel):
        refuse_too_many_for_excel(ROWS_IN_EXCEL + 1)
