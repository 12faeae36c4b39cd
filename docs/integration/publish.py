"""Publish a vehicle return over HTTPS. Needs only Python's standard library.

MADOGUCHI_URL=https://... MADOGUCHI_KEY=mdk_... MADOGUCHI_DEALER=D01 python publish.py R-1002

A contract number after it names the contract whose report is prefilled.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

URL, KEY, DEALER = (os.environ[f"MADOGUCHI_{name}"] for name in ("URL", "KEY", "DEALER"))
AGAIN = {429, 500, 502, 503, 504}


def send(event_type: str, message_id: str, data: dict) -> dict:
    """Send one event, retried with the same id until answered. Raises HTTPError if refused."""
    request = urllib.request.Request(
        f"{URL}/api/interchange/v1/dealers/{DEALER}/events",
        data=json.dumps({"dealer_id": DEALER, **data}).encode(),
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-type": event_type,
            "ce-id": message_id,  # the same at every try: it takes effect once
            "ce-source": f"/dealers/{DEALER}/dms",
            "ce-time": datetime.now(UTC).isoformat(),
        },
    )
    for attempt in range(8):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            if refused.code not in AGAIN:
                raise
            pause_s = int(refused.headers.get("Retry-After", 2**attempt))
        except OSError:
            pause_s = 2**attempt
        time.sleep(pause_s)
    raise TimeoutError(f"{message_id} is not answered; send it again later with the same id")


if __name__ == "__main__":
    source_id, *contract = sys.argv[1:]
    returned = {"source_id": source_id, "received_on": "2025-07-14"}
    if contract:
        returned["contract_no"] = contract[0]
    try:
        print(send("dealer.vehicle_returned.v1", f"returned-{source_id}", returned))
    except urllib.error.HTTPError as refused:
        sys.exit(refused.read().decode())
