"""By which table is a JR ride charged that leaves JR東日本's trunk lines (旅客営業規則)?

Local lines (地方交通線) have their own table: for rides on them alone, and for mixed rides up to
10 km. A longer mixed ride is charged by the trunk table over 運賃計算キロ. On JR東海's lines alone
its own table holds; over both companies its table for the whole way, and JR東日本's 加算額 for its
part.
"""

from enum import StrEnum

MIXED_LOCAL_KM10 = 100


class Basis(StrEnum):
    """What the fare is read from."""

    OWN_TABLE = "own_table"
    LOCAL_TABLE = "local_table"
    GUEST_TABLE = "guest_table"
    JOINT = "joint"


def fare_basis(*, km10: int, local_km10: int, guest_km10: int) -> Basis:
    """The basis of a ride of `km10` tenths of a km, a part of them on local lines or JR東海."""
    if guest_km10:
        return Basis.GUEST_TABLE if guest_km10 == km10 else Basis.JOINT
    if local_km10 and (local_km10 == km10 or km10 <= MIXED_LOCAL_KM10):
        return Basis.LOCAL_TABLE
    return Basis.OWN_TABLE
