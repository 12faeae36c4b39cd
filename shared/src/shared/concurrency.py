"""Optimistic concurrency: is this the version that the person saw? If not, nothing is changed."""

from shared.errors import Fact, Kind, Refusal


class VersionConflict(Refusal):
    """A lost update (RFC 9110 §15.5.13); `current_version` is what to look at now."""

    code = "VERSION_CONFLICT"
    kind = Kind.VERSION_CONFLICT
    message = "他の方が先に更新しました。最新の内容をご確認ください"

    def __init__(self, current: int, message: str | None = None, **facts: Fact) -> None:
        super().__init__(message, current_version=current, **facts)


def check_version(current: int, expected: int, message: str | None = None, **facts: Fact) -> None:
    """Nothing, if it has not been changed since. Raises VersionConflict."""
    if current != expected:
        raise VersionConflict(current, message, **facts)
