/** The Model Context Protocol's TypeScript SDK over stdio: a tool that is called with text and returns it; a stream is log messages that are notified. */
import { join } from "node:path";
import process from "node:process";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { contender, LARGE, measurements, SMALL } from "../ts/clock.mjs";

const texts = { [SMALL]: "m".repeat(SMALL), [LARGE]: "m".repeat(LARGE) };

export async function start() {
  const client = await connect();
  const runs = measurements({
    messages: 200,
    async echo(size) {
      const { content } = await client.callTool({ name: "echo", arguments: { text: texts[size] } });
      if (content[0].text.length !== size) throw new Error("an echo of another size");
    },
    // Notifications are handled a moment later than a response that comes after them.
    async stream(count, size) {
      await new Promise((resolve, reject) => {
        let messages = 0;
        client.setNotificationHandler(LoggingMessageNotificationSchema, () => {
          messages += 1;
          if (messages === count) resolve();
        });
        client.callTool({ name: "count", arguments: { count, size } }).catch(reject);
      });
      return count;
    },
  });
  const load = async () => {
    const start = performance.now();
    const other = await connect();
    await other.callTool({ name: "echo", arguments: { text: texts[SMALL] } });
    const value = performance.now() - start;
    await other.close();
    return { value };
  };
  return contender({ ...runs, load }, () => client.close());
}

async function connect() {
  const client = new Client({ name: "bench", version: "0.1.0" });
  const args = [join(import.meta.dirname, "mcp-server.mjs")];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: "inherit" }));
  return client;
}
