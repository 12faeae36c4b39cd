"""Finance company handling: what the dealer no longer does in the meantime (D38).

Results, re-splits and returns wait; memo and store or staff changes are still possible.
"""

from shared.errors import Kind, Refusal


class TfcHandles(Refusal):
    """The finance company handles the contract itself, for example after a total loss."""

    code = "TFC_HANDLES"
    kind = Kind.CONFLICT
    message = "TFCにて対応中です"


def tfc_refusal(*, tfc_handled: bool) -> Refusal | None:
    """Why dealer work on the last instalment has to wait, or None."""
    return TfcHandles() if tfc_handled else None
