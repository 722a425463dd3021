/** The server of the MCP contender. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "bench", version: "0.1.0" }, { capabilities: { logging: {} } });
const done = (text) => ({ content: [{ type: "text", text }] });

server.registerTool("echo", { description: "Returns the text", inputSchema: { text: z.string() } }, ({ text }) =>
  done(text),
);

server.registerTool(
  "count",
  { description: "Notifies log messages", inputSchema: { count: z.number(), size: z.number() } },
  async ({ count, size }, { sendNotification }) => {
    const data = "m".repeat(size);
    for (let sent = 0; sent < count; sent++) {
      await sendNotification({ method: "notifications/message", params: { level: "info", data } });
    }
    return done("");
  },
);

await server.connect(new StdioServerTransport());
