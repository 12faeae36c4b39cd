// Publish a vehicle return over HTTPS. Needs only Node.js, from version 18.
//
//   MADOGUCHI_URL=https://... MADOGUCHI_KEY=mdk_... MADOGUCHI_DEALER=D01 node publish-https.mjs R-1007
//
// A contract number after it names the contract whose report is prefilled.
import { setTimeout as pause } from "node:timers/promises";

const { MADOGUCHI_URL: url, MADOGUCHI_KEY: key, MADOGUCHI_DEALER: dealer } = process.env;
const [sourceId, contractNo] = process.argv.slice(2);
const TRIES = 8;

/** Send one event, retried with the same id until answered; the answer may be a refusal. */
async function send(type, id, data) {
  const message = {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-type": type,
      "ce-id": id, // the same at every try: it takes effect once
      "ce-source": `/dealers/${dealer}/dms`,
      "ce-time": new Date().toISOString(),
    },
    body: JSON.stringify({ dealer_id: dealer, ...data }),
  };
  for (let tried = 0; tried < TRIES; tried++) {
    let seconds = 2 ** tried;
    try {
      const answer = await fetch(`${url}/api/interchange/v1/dealers/${dealer}/events`, message);
      if (answer.status !== 429 && answer.status < 500) return answer;
      seconds = Number(answer.headers.get("retry-after") ?? seconds);
    } catch (unanswered) {
      console.error(unanswered.message);
    }
    await pause(seconds * 1000);
  }
  throw new Error(`${id} is not answered; send it again later with the same id`);
}

const answer = await send("dealer.vehicle_returned.v1", `returned-${sourceId}`, {
  source_id: sourceId,
  contract_no: contractNo, // left out where there is none
  received_on: "2025-07-14",
});
console.log(await answer.text());
if (!answer.ok) process.exitCode = 1;
