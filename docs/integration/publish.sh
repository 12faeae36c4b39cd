#!/bin/sh
# Publish a vehicle return over HTTPS, with curl, in the structured mode of CloudEvents.
#
#   MADOGUCHI_URL=https://... MADOGUCHI_KEY=mdk_... MADOGUCHI_DEALER=D01 sh publish.sh R-1003
#
# A contract number after it names the contract whose report is prefilled.
# --retry sends the same message, with the same id, on 429 and 5xx; Retry-After is respected.
set -eu
contract=
[ $# -lt 2 ] || contract="\"contract_no\": \"$2\","
cat <<JSON | curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
  --header "Authorization: Bearer $MADOGUCHI_KEY" \
  --header "Content-Type: application/cloudevents+json" \
  --data-binary @- "$MADOGUCHI_URL/api/interchange/v1/dealers/$MADOGUCHI_DEALER/events"
{
  "specversion": "1.0",
  "type": "dealer.vehicle_returned.v1",
  "id": "returned-$1",
  "source": "/dealers/$MADOGUCHI_DEALER/dms",
  "time": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "datacontenttype": "application/json",
  "data": {
    "dealer_id": "$MADOGUCHI_DEALER",
    "source_id": "$1",
    $contract
    "received_on": "2025-07-14"
  }
}
JSON
