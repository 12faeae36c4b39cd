"""Append-only tables of contracts, each with the columns that an erasure may blank."""

APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "entry": ("other_text",),
    "memo": ("text",),
    "customer_change_release": ("reason",),
    "customer_erasure": (),
    "customer_list_export": ("conditions",),
}
