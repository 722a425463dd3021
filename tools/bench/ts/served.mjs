/** anyplug's own host, and a plugin that is served at an address. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { loadPlugin } from "anyplug";
import { contender } from "./clock.mjs";
import { callsOf } from "./host.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const programs = {
  ts: [process.execPath, "dist/main.js"],
  python: [join(root, ".venv", "bin", "python"), "-m", "anyplug_bench_plugin"],
  rust: ["bin/anyplug-bench-plugin"],
};

/** Serves the bench plugin of a language on a socket of that kind ("unix" or "tcp"), and loads it from there. */
export async function start(language, kind) {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-bench-"));
  const listen = kind === "unix" ? `unix:${join(folder, "socket")}` : "tcp://127.0.0.1:0";
  const [program, ...args] = programs[language];
  const cwd = join(root, "plugins", "bench-plugin", language);
  const child = spawn(program.startsWith("bin/") ? join(cwd, program) : program, args, {
    cwd,
    env: { ...process.env, ANYPLUG_LISTEN: listen },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // "bench-plugin at ADDRESS", once it can be reached.
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const plugin = await loadPlugin(line.slice(line.lastIndexOf(" ") + 1));
  return contender(callsOf(plugin), async () => {
    await plugin.close();
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
}
