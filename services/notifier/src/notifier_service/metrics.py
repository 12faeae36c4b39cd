"""Metrics of mail delivery."""

from prometheus_client import Counter, Gauge

MAIL_RESULTS = Counter("mails", "Attempts to send a mail, by result", ["result"])
for _result in ("sent", "transient", "permanent", "unknown", "suppressed"):
    MAIL_RESULTS.labels(_result)  # start at 0, so that the first one shows as an increase
MAILS_WAITING = Gauge("mails_waiting", "Mails that are due or being sent")
MAIL_AGE = Gauge("mail_age_seconds", "Age of the oldest mail that is due or being sent")
