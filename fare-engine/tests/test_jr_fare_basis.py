"""By which table a JR ride is charged (rules/jr_fare_basis.py)."""

import pytest

from fare_engine.rules.jr_fare_basis import Basis, fare_basis


@pytest.mark.parametrize(
    ("km10", "local_km10", "guest_km10", "basis"),
    [
        (103, 0, 0, Basis.OWN_TABLE),
        (405, 405, 0, Basis.LOCAL_TABLE),
        (100, 1, 0, Basis.LOCAL_TABLE),
        (101, 1, 0, Basis.OWN_TABLE),
        (101, 100, 0, Basis.OWN_TABLE),
        (216, 0, 216, Basis.GUEST_TABLE),
        (423, 0, 216, Basis.JOINT),
        (80, 30, 50, Basis.JOINT),
    ],
)
def test_basis(km10: int, local_km10: int, guest_km10: int, basis: Basis) -> None:
    found = fare_basis(km10=km10, local_km10=local_km10, guest_km10=guest_km10)
    assert found is basis
