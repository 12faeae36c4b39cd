// Webhook receiver without dependencies: WEBHOOK_SECRET=whsec_... node verify.mjs PORT.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE_S = 300;

/** The event in a message that is ours and fresh; throws for any other. */
export function verify(secret, headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S)) {
    throw new Error("too old, or from the future");
  }
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  const ours = (headers["webhook-signature"] ?? "").split(" ").some((one) => {
    const [version, signature = ""] = one.split(",");
    const given = Buffer.from(signature, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!ours) throw new Error("no signature of ours");
  return JSON.parse(body.toString("utf8"));
}

const secret = process.env.WEBHOOK_SECRET;
if (!secret?.startsWith("whsec_")) {
  console.error("WEBHOOK_SECRET is missing: the answer to the registration has it, whsec_...");
  process.exit(1);
}

createServer(async (request, answer) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  try {
    // Store webhook-id: answer a repeated message 204 and ignore it.
    const event = verify(secret, request.headers, Buffer.concat(pieces));
    console.log(event.type, event.subject ?? "");
    answer.writeHead(204).end();
  } catch (refused) {
    console.log("refused:", refused.message);
    answer.writeHead(401).end();
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
