// Send an event and receive a webhook with types generated from the OpenAPI document.
//
//   npm ci
//   npx openapi-typescript $MADOGUCHI_URL/api/interchange/v1/documentation/openapi.json -o dealer.d.ts
//   npx tsc --strict --module nodenext --target es2022 --skipLibCheck typed-client.ts
//   MADOGUCHI_URL=http://... MADOGUCHI_KEY=mdk_... MADOGUCHI_DEALER=D01 node typed-client.js R-1006
//
// `npm ci` belongs into this folder, whose package.json names the versions that are tested and says
// "type": "module". For a folder of your own, copy both package files: TypeScript 7, which an install
// without versions fetches, does not work with openapi-typescript 7.
// The webhook goes to a port of this machine, which an installation for tests allows. It is stopped
// at the end: a dealer has at most ten active ones.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import createClient from "openapi-fetch";
import { Webhook } from "standardwebhooks";
import type { components, paths } from "./dealer.d.ts";

type Schemas = components["schemas"];

const { MADOGUCHI_URL: url, MADOGUCHI_KEY: key, MADOGUCHI_DEALER: dealer } = process.env;
const source = process.argv[2];
if (!url || !key || !dealer || !source) throw new Error("MADOGUCHI_URL, _KEY, _DEALER and an id");

const client = createClient<paths>({
  baseUrl: url,
  headers: { authorization: `Bearer ${key}`, "accept-language": "en" },
});

const now = new Date();
const event: Schemas["VehicleReturnedEvent"] = {
  specversion: "1.0",
  id: `returned-${source}`,
  source: `/dealers/${dealer}/dms`,
  type: "dealer.vehicle_returned.v1",
  time: now.toISOString(),
  datacontenttype: "application/json",
  data: { dealer_id: dealer, source_id: source, received_on: now.toISOString().slice(0, 10) },
};
const sent = await client.POST("/api/interchange/v1/dealers/{dealer}/events", {
  params: { path: { dealer } },
  headers: { "content-type": "application/cloudevents+json" },
  body: event,
});
if (!sent.data) throw new Error(JSON.stringify(sent.error));
console.log(`${sent.data.message_id} repeated=${sent.data.repeated}`);

const server = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const { port } = server.address() as AddressInfo;
const wanted: Schemas["NewEndpoint"] = {
  label: "typed client",
  url: `http://localhost:${port}/hook`,
  events: ["all"],
};
const made = await client.POST("/api/interchange/v1/webhooks", { body: wanted });
if (!made.data) throw new Error(JSON.stringify(made.error));
const { secret, endpoint_id, version } = made.data;
const path = { endpoint_id };

server.on("request", (request, response) => {
  let body = "";
  request.on("data", (chunk) => { body += chunk; });
  request.on("end", () => {
    const headers = request.headers as Record<string, string>;
    const ping = new Webhook(secret).verify(body, headers) as Schemas["WebhookPing"];
    console.log(`verified: ${ping.data.message}`);
    response.writeHead(204).end();
    server.close();
    server.closeAllConnections();
  });
});
const closed = new Promise((resolve) => server.once("close", resolve));
await client.POST("/api/interchange/v1/webhooks/{endpoint_id}/ping", { params: { path } });
await closed;
await client.PUT("/api/interchange/v1/webhooks/{endpoint_id}", {
  params: { path, header: { "if-match": `"${version}"` } },
  body: { ...wanted, active: false },
});
