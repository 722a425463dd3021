/** ElizaOS's line protocol: an action that a plain loop in Python answers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { contender, measurements, SMALL } from "./clock.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const memory = { content: { text: "m".repeat(SMALL) } };
const state = { text: "", values: { rain: true }, data: {} };

export async function start() {
  const child = spawn(join(root, ".venv", "bin", "python"), [join(root, "tools", "bench", "python", "line.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  const waiting = new Map();
  let last = 0;
  lines.on("line", (line) => {
    const answer = JSON.parse(line);
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const { latency, throughput } = measurements({
    async echo() {
      last += 1;
      const id = `${last}`;
      const answered = new Promise((resolve) => waiting.set(id, resolve));
      const request = { type: "action.invoke", id, action: "UMBRELLA", memory, state, options: null };
      child.stdin.write(`${JSON.stringify(request)}\n`);
      if (!(await answered).result.success) throw new Error("the action failed");
    },
  });
  return contender({ latency, throughput }, async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  });
}
