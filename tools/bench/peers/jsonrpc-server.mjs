/** The server of the vscode-jsonrpc contender. */
import process from "node:process";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";

const connection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
connection.onRequest("echo", ({ text }) => ({ text }));
connection.onRequest("count", async ({ count, size }) => {
  const text = "m".repeat(size);
  const sent = [];
  for (let index = 0; index < count; index++) sent.push(connection.sendNotification("message", { text }));
  await Promise.all(sent);
  return {};
});
connection.onClose(() => process.exit());
connection.listen();
