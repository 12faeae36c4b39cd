"""Is this the version that the person saw? Who comes second is told, and looks again."""

from shared.errors import Kind, Refusal


class ChangedMeanwhile(Refusal):
    """Somebody else was faster; `current_version` is what to look at now."""

    code = "CHANGED_MEANWHILE"
    kind = Kind.CONFLICT
    message = "他の方が先に更新しました。最新の内容をご確認ください"


def check_version(current: int, expected: int) -> None:
    """Nothing, if nobody changed it since. Raises ChangedMeanwhile."""
    if current != expected:
        raise ChangedMeanwhile(current_version=current)
