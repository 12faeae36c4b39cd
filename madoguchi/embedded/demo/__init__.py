"""Demo data: fictional dealers, people and contracts, deterministic, for demos and load tests."""

from madoguchi.embedded.demo.contracts import COLUMNS, ROWS_OF_EVERY_KIND, demo_contracts, write_csv
from madoguchi.embedded.demo.masters import (
    PRODUCTS,
    TFC_OPERATOR,
    VEHICLES,
    Dealer,
    Masters,
    Product,
    Vehicle,
    demo_masters,
)

__all__ = [
    "COLUMNS",
    "PRODUCTS",
    "ROWS_OF_EVERY_KIND",
    "TFC_OPERATOR",
    "VEHICLES",
    "Dealer",
    "Masters",
    "Product",
    "Vehicle",
    "demo_contracts",
    "demo_masters",
    "write_csv",
]
