"""Optimistic concurrency: a change is refused unless it names the record's current version."""

from shared.errors import Fact, Kind, Refusal


class VersionConflict(Refusal):
    """The record changed since it was read (RFC 9110 §15.5.13); `current_version` is newest."""

    code = "VERSION_CONFLICT"
    kind = Kind.VERSION_CONFLICT
    message = "他の方が先に更新しました。最新の内容をご確認ください"
    english = "It was changed meanwhile; current_version is the newest."

    def __init__(self, current: int, message: str | None = None, **facts: Fact) -> None:
        super().__init__(message, current_version=current, **facts)


def check_version(current: int, expected: int, message: str | None = None, **facts: Fact) -> None:
    """Compare the versions. Raises VersionConflict if they differ."""
    if current != expected:
        raise VersionConflict(current, message, **facts)
