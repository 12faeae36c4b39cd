"""Send an event and receive a webhook with a client generated from the OpenAPI document.

pip install openapi-python-client standardwebhooks
openapi-python-client generate --url $MADOGUCHI_URL/api/interchange/v1/documentation/openapi.json
cd madoguchi-for-dealers-systems-client && pip install .
MADOGUCHI_URL=http://... MADOGUCHI_KEY=mdk_... MADOGUCHI_DEALER=D01 python typed_client.py R-1005

The webhook goes to a port of this machine, which an installation for tests allows. It is stopped at
the end: a dealer has at most ten active ones.
"""

import os
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from madoguchi_for_dealers_systems_client import AuthenticatedClient
from madoguchi_for_dealers_systems_client.api.dealers import receive_event
from madoguchi_for_dealers_systems_client.api.webhooks import (
    add_endpoint,
    change_endpoint,
    ping_endpoint,
)
from madoguchi_for_dealers_systems_client.models import (
    Accepted,
    ChangedEndpoint,
    EndpointWithSecret,
    EventFilter,
    NewEndpoint,
    VehicleReturnedData,
    VehicleReturnedEvent,
    VehicleReturnedEventSpecversion,
    VehicleReturnedEventType,
    WebhookPing,
)
from standardwebhooks import Webhook

URL, KEY, DEALER = (os.environ[f"MADOGUCHI_{name}"] for name in ("URL", "KEY", "DEALER"))


def send(client: AuthenticatedClient, source_id: str) -> Accepted:
    """Report a returned car."""
    now = datetime.now(UTC)
    data = VehicleReturnedData(dealer_id=DEALER, source_id=source_id, received_on=now.date())
    event = VehicleReturnedEvent(
        specversion=VehicleReturnedEventSpecversion.VALUE_0,
        id=f"returned-{source_id}",
        source=f"/dealers/{DEALER}/dms",
        type_=VehicleReturnedEventType.DEALER_VEHICLE_RETURNED_V1,
        time=now,
        data=data,
    )
    answer = receive_event.sync_detailed(DEALER, client=client, body=event)
    if not isinstance(answer.parsed, Accepted):
        sys.exit(answer.content.decode())
    return answer.parsed


def receive(client: AuthenticatedClient) -> WebhookPing:
    """Register this machine as an endpoint, ask for a test, and verify it."""
    received: list[WebhookPing] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = Webhook(made.secret).verify(body, dict(self.headers.items()))
            received.append(WebhookPing.from_dict(event))
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.timeout = 30
    wanted = NewEndpoint(
        label="typed client",
        url=f"http://localhost:{server.server_port}/hook",
        events=[EventFilter.ALL],
    )
    answer = add_endpoint.sync_detailed(client=client, body=wanted)
    if not isinstance(answer.parsed, EndpointWithSecret):
        sys.exit(answer.content.decode())
    made = answer.parsed
    ping_endpoint.sync_detailed(made.endpoint_id, client=client)
    server.handle_request()
    stop(client, made)
    return received[0]


def stop(client: AuthenticatedClient, made: EndpointWithSecret) -> None:
    """Send nothing more to an endpoint."""
    stopped = ChangedEndpoint(made.label, made.url, [EventFilter.ALL], active=False)
    version = f'"{made.version}"'
    change_endpoint.sync_detailed(made.endpoint_id, client=client, body=stopped, if_match=version)


if __name__ == "__main__":
    with AuthenticatedClient(base_url=URL, token=KEY) as connected:
        accepted = send(connected, sys.argv[1])
        print(f"{accepted.message_id} repeated={accepted.repeated}")
        print(f"verified: {receive(connected).data.message}")
