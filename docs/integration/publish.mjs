// Publish a vehicle return over AMQP, with amqplib (`npm ci` in this folder fetches it).
//
//   MADOGUCHI_AMQP=amqps://dealer-D01:password@host/vhost MADOGUCHI_DEALER=D01 \
//     node publish.mjs R-1004
//
// A contract number after it names the contract whose report is prefilled.
// With an event prefix the user is <prefix>dealer-D01 and the exchange <prefix>ingress.D01.
import amqplib from "amqplib";

const { MADOGUCHI_AMQP: url, MADOGUCHI_DEALER: dealer } = process.env;
const [sourceId, contractNo] = process.argv.slice(2);
const user = decodeURIComponent(new URL(url).username);
const prefix = user.slice(0, -`dealer-${dealer}`.length);

const connection = await amqplib.connect(url);
const channel = await connection.createConfirmChannel();
channel.on("error", (error) => {
  console.error(error.message); // 403: not your exchange or routing key; 406: not your user_id
  process.exit(1);
});
channel.on("return", () => {
  console.error("no queue took it: the dealer is not set up on this broker");
  process.exitCode = 1;
});
channel.publish(
  `${prefix}ingress.${dealer}`,
  `dealer.${dealer}.vehicle_returned`,
  Buffer.from(
    JSON.stringify({
      dealer_id: dealer,
      source_id: sourceId,
      contract_no: contractNo, // left out where there is none
      received_on: "2025-07-14",
    }),
  ),
  {
    userId: user, // the broker checks it; without it the message goes to quarantine
    persistent: true,
    mandatory: true,
    contentType: "application/json",
    headers: {
      "ce-specversion": "1.0",
      "ce-type": "dealer.vehicle_returned.v1",
      "ce-id": `returned-${sourceId}`, // the same at every try: it takes effect once
      "ce-source": `/dealers/${dealer}/dms`,
      "ce-time": new Date().toISOString(),
    },
  },
);
await channel.waitForConfirms(); // throws where the queue is full: wait, then send it again
await connection.close();
if (!process.exitCode) console.log(`returned-${sourceId} is taken`);
