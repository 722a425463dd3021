/** vscode-jsonrpc over stdio: a request with text that is returned; a stream is notifications. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import { contender, LARGE, measurements, SMALL } from "../ts/clock.mjs";

const texts = { [SMALL]: "m".repeat(SMALL), [LARGE]: "m".repeat(LARGE) };

export async function start() {
  const { connection, close } = connect();
  let messages = 0;
  connection.onNotification("message", () => {
    messages += 1;
  });
  const runs = measurements({
    messages: 200,
    async echo(size) {
      const { text } = await connection.sendRequest("echo", { text: texts[size] });
      if (text.length !== size) throw new Error("an echo of another size");
    },
    async stream(count, size) {
      messages = 0;
      await connection.sendRequest("count", { count, size });
      return messages;
    },
  });
  const load = async () => {
    const start = performance.now();
    const other = connect();
    await other.connection.sendRequest("echo", { text: texts[SMALL] });
    const value = performance.now() - start;
    await other.close();
    return { value };
  };
  return contender({ ...runs, load }, close);
}

function connect() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "jsonrpc-server.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.listen();
  const close = async () => {
    connection.dispose();
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { connection, close };
}
