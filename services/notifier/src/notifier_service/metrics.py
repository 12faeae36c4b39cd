"""What do operators watch of the mails?"""

from prometheus_client import Counter, Gauge

MAILS = Counter("mails", "Attempts to send a mail, by what became of them", ["result"])
for _result in ("sent", "transient", "permanent", "unknown", "suppressed"):
    MAILS.labels(_result)  # from 0 on, so that the first one is seen as an increase
MAILS_WAITING = Gauge("mails_waiting", "Mails that are due or on their way")
MAIL_AGE = Gauge("mail_age_seconds", "Age of the oldest mail that is due or on its way")
