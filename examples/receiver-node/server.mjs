// A small receiver of Casehook's webhooks, with the standardwebhooks package.
//
//     npm ci && WEBHOOK_SECRET=whsec_... PORT=3000 node server.mjs
import { createServer } from "node:http";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const secret = process.env.WEBHOOK_SECRET;
if (!secret) {
  console.error("set WEBHOOK_SECRET to the endpoint's secret");
  process.exit(2);
}
const webhook = new Webhook(secret);
const seen = new Set(); // webhook-ids; a real receiver keeps them in its database
const limit = 4 << 20; // bytes

createServer(async (request, response) => {
  const answer = (status, text = "") => response.writeHead(status).end(text);
  if (request.method !== "POST") return answer(405);
  try {
    const body = await read(request);
    const told = webhook.verify(body, request.headers); // throws
    take(told, request.headers);
    answer(204); // any 2xx: it is ours now
  } catch (error) {
    console.log(`refused: ${error.message}`);
    if (error instanceof WebhookVerificationError) return answer(401, error.message);
    answer(error instanceof TooLarge ? 413 : 500);
  }
}).listen(Number(process.env.PORT ?? 3000), "127.0.0.1", function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}`);
});

class TooLarge extends Error {}

// read gives the body as it came: what is signed is its bytes.
async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new TooLarge("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

// take does what the webhook is about, once.
function take(told, headers) {
  const id = headers["webhook-id"];
  const trigger = told.trigger ?? told.event_name; // of claims and contacts
  if (seen.has(id)) return console.log(`${trigger} again; nothing to do`);
  seen.add(id);
  console.log(`${trigger}: ${headers["webhook-subject"]}, version ${headers["webhook-sequence"]}`);
}
