"""What does the dealer no longer do while the finance company handles a contract itself? (D38).

Results, re-splits and returned cars wait; the note and store or staff changes go on.
"""

from shared.errors import Kind, Refusal


class TfcHandles(Refusal):
    """The contract (a total loss, for example) is in the finance company's hands."""

    code = "TFC_HANDLES"
    kind = Kind.CONFLICT
    message = "TFCにて対応中です"


def tfc_refusal(*, tfc_handled: bool) -> Refusal | None:
    """Why dealer work on the last instalment has to wait, or None."""
    return TfcHandles() if tfc_handled else None
