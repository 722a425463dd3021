/** What the figures were measured on and with. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "../bootstrap/setup/paths.mjs";
import { benchPython } from "./peers.mjs";

/** Returns the machine in the words of a reader, and how busy it was already. */
export function machine() {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    python: version(benchPython, ["--version"]),
    rustc: version("rustc", ["--version"]),
    loadAverage: loadavg()[0],
  };
}

/** Returns the versions of the peers, by name. */
export function peerVersions() {
  const manifest = JSON.parse(readFileSync(join(root, "tools", "bench", "peers", "package.json"), "utf8"));
  const requirements = readFileSync(join(root, "tools", "bench", "requirements.txt"), "utf8");
  const asked = readFileSync(join(root, "tools", "bench", "requirements.in"), "utf8");
  const python = [...asked.matchAll(/^[a-z]\w*/gm)].map(([name]) => [
    `${name} (Python)`,
    new RegExp(`^${name}==(\\S+)`, "m").exec(requirements)?.[1],
  ]);
  const crates = readFileSync(join(root, "tools", "bench", "natives", "Cargo.lock"), "utf8");
  const rust = ["napi", "pyo3"].map((name) => [
    `${name} (Rust)`,
    new RegExp(`^name = "${name}"\\nversion = "(\\S+)"`, "m").exec(crates)?.[1],
  ]);
  return { ...manifest.dependencies, ...Object.fromEntries([...python, ...rust]) };
}

function version(program, args) {
  const { stdout } = spawnSync(program, args, { encoding: "utf8", cwd: root });
  return /\d+\.\d+\S*/.exec(stdout ?? "")?.[0] ?? "unknown";
}
