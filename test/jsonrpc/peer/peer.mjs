/** Speaks JSON-RPC on its standard streams as a case of driver.json says. What it does not expect it tells on stderr, and exits with status 9. */

import { readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

const { cases } = JSON.parse(readFileSync(new URL("../driver.json", import.meta.url), "utf8"));
const { peer } = cases.find(({ name }) => name === process.env["PEER_CASE"]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

for (const step of peer) await take(step);
// What is left of the input is of no interest; its end is.
for await (const _ of lines);

async function take(step) {
  if ("read" in step) await expectAny([step.read]);
  else if ("readAny" in step) await expectAny(step.readAny);
  else if ("write" in step) write(typeof step.write === "string" ? step.write : JSON.stringify(step.write));
  else if ("echo" in step) await echo(step.echo, step.as);
  else if ("flood" in step) write(`{"jsonrpc":"2.0","id":1,"result":{"text":"${"x".repeat(step.flood)}"}}`);
  else process.exit(step.exit);
}

/** Reads these messages, in whichever order they come. */
async function expectAny(messages) {
  for (const expected = [...messages]; expected.length > 0; ) {
    const read = await next();
    const found = expected.findIndex((one) => isDeepStrictEqual(read, one));
    if (found < 0) {
      console.error(`expected ${JSON.stringify(expected)}, read ${JSON.stringify(read)}`);
      process.exit(9);
    }
    expected.splice(found, 1);
  }
}

/** Reads so many requests and answers each with its parameters, the last one first. */
async function echo(count, as) {
  const answers = [];
  for (let left = count; left > 0; left--) {
    const { id, params } = await next();
    answers.unshift({ jsonrpc: "2.0", id, result: params });
  }
  if (as === "batch") write(JSON.stringify(answers));
  else for (const answer of answers) write(JSON.stringify(answer));
}

async function next() {
  const { done, value } = await lines.next();
  if (done) process.exit(0);
  return JSON.parse(value);
}

/** All of it is written when this returns, also where the process exits behind it. */
function write(text) {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
