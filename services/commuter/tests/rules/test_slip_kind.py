"""The five kinds that use the look-up, and their block R22, R23."""

import pytest

from commuter_service.rules.slip_kind import (
    USES_SEARCH,
    SlipDeed,
    SlipKind,
    UnconfirmedPassBlocks,
    check_unconfirmed_pass,
)

FIVE = {"交通費精算", "出張申請", "出張精算", "海外出張申請", "海外出張精算"}
BLOCKED = {SlipDeed.CREATE, SlipDeed.SEARCH, SlipDeed.SUBMIT}


@pytest.mark.rule("R22")
def test_five_kinds_use_the_search() -> None:
    assert {kind.value for kind in USES_SEARCH} == FIVE


@pytest.mark.rule("R22", "R23")
@pytest.mark.parametrize("kind", SlipKind)
@pytest.mark.parametrize("deed", SlipDeed)
@pytest.mark.parametrize("waiting", [True, False])
def test_unconfirmed_pass_blocks_what_uses_the_search(
    kind: SlipKind, deed: SlipDeed, waiting: bool
) -> None:
    if waiting and kind.value in FIVE and deed in BLOCKED:
        with pytest.raises(UnconfirmedPassBlocks):
            check_unconfirmed_pass(kind, deed, has_unconfirmed_pass=waiting)
    else:
        check_unconfirmed_pass(kind, deed, has_unconfirmed_pass=waiting)
