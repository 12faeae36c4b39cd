"""Mail preferences: an employee says which mails about slips they want."""

from collections.abc import Iterable

from commuter_service.models import MailPreference
from commuter_service.queries import mail_preference_of
from commuter_service.request_context import RequestContext
from commuter_service.rules.mail_preference import SlipMail, declined_of
from shared.concurrency import check_version


async def save_mail_preference(
    ctx: RequestContext, wanted: Iterable[SlipMail], version: int
) -> MailPreference:
    """Keep what the acting person wants. Raises VersionConflict."""
    kept = await mail_preference_of(ctx.tx, ctx.dealer_id, ctx.employee_id, lock=True)
    check_version(kept.version, version)
    kept.declined = [mail.value for mail in declined_of(frozenset(wanted))]
    kept.version += 1
    ctx.tx.add(kept)
    return kept
