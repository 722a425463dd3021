/**
 * What must be on the machine before anything else can work. This file and the two entries, start.mjs and test.mjs, are
 * loaded by whatever Node there is, so they keep to syntax that old ones understand.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

export const MINIMUM_NODE = [20, 11];
export const MINIMUM_PYTHON = [3, 11];

const PYTHON_NAMES = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
const PYTHON_PROBE = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";

/** Returns whether `version`, such as "20.11.1", is one that everything else here runs on. */
export function nodeIsRecent(version) {
  return isAtLeast(version, MINIMUM_NODE);
}

/**
 * Looks for everything at once.
 *
 * @param {{ nodeVersion: string, env: Record<string, string | undefined> }} machine what to look at
 * @returns {{ missing: { what: string, found: string, how: string[] }[], python: string | undefined }} what is missing,
 *   with what was found instead and how to get it, and the Python to use
 */
export function checkPrerequisites(machine) {
  const python = findPython(machine.env);
  const missing = [
    missingNode(machine),
    missingNpm(machine),
    missingPython(python),
    missingRust("cargo", machine),
    missingRust("rustup", machine),
    missingCompiler(machine),
  ].filter((entry) => entry !== undefined);
  return { missing, python: python.path };
}

/** Returns the text that names everything that is missing and how to get it. */
export function explainMissing(missing) {
  const lines = ["anyplug cannot be set up yet. Missing on this machine:", ""];
  for (const { what, found, how } of missing) {
    lines.push(`  ${what}${found ? ` (${found})` : ""}`);
    for (const line of how) lines.push(`      ${line}`);
    lines.push("");
  }
  lines.push("Install what is listed, open a new terminal so that it is on the PATH, and run the same command again.");
  return lines.join("\n");
}

/** Returns the path of the executable `name` on the PATH of `env`, or undefined. */
export function findExecutable(name, env) {
  for (const folder of (env.PATH || "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (_error) {
    return false;
  }
}

function missingNode(machine) {
  if (nodeIsRecent(machine.nodeVersion)) return undefined;
  return {
    what: `Node ${MINIMUM_NODE.join(".")} or newer`,
    found: `this is ${machine.nodeVersion}`,
    how: ["https://nodejs.org/en/download, or: nvm install 22, brew install node"],
  };
}

function missingNpm(machine) {
  if (findExecutable("npm", machine.env)) return undefined;
  return {
    what: "npm",
    found: "",
    how: ["It comes with Node; Debian and Ubuntu have it apart: sudo apt install npm"],
  };
}

/** Tries each usual name of Python; returns the first that is new enough, or else what was found and why it will not do. */
function findPython(env) {
  const rejected = [];
  for (const name of PYTHON_NAMES) {
    const path = findExecutable(name, env);
    if (path === undefined) continue;
    const version = pythonVersion(path, env, "import sys; print('%d.%d.%d' % sys.version_info[:3])");
    if (version === undefined) continue;
    if (!isAtLeast(version, MINIMUM_PYTHON)) rejected.push(`${path} is ${version}`);
    else if (pythonVersion(path, env, PYTHON_PROBE) === undefined) rejected.push(`${path} is ${version} without venv`);
    else return { path, rejected: [] };
  }
  return { path: undefined, rejected };
}

function pythonVersion(path, env, program) {
  const result = spawnSync(path, ["-c", program], { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function isAtLeast(version, minimum) {
  const [major, minor] = version.split(".").map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

function missingPython(python) {
  if (python.path !== undefined) return undefined;
  return {
    what: `Python ${MINIMUM_PYTHON.join(".")} or newer, with its venv module`,
    found: python.rejected.filter((entry, index, all) => all.indexOf(entry) === index).join(", "),
    how: [
      "Debian, Ubuntu: sudo apt install python3 python3-venv",
      "macOS: brew install python, others: https://www.python.org/downloads/",
    ],
  };
}

function missingRust(name, machine) {
  if (findExecutable(name, machine.env)) return undefined;
  const home = machine.env.CARGO_HOME || join(machine.env.HOME || "", ".cargo");
  const installed = isExecutable(join(home, "bin", name));
  return {
    what: name,
    found: installed ? `installed in ${join(home, "bin")}, which is not on the PATH` : "",
    how: installed
      ? [`. "${join(home, "env")}"`]
      : ["curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh", "(installs cargo and rustup together)"],
  };
}

function missingCompiler(machine) {
  if (findExecutable("cc", machine.env)) return undefined;
  return {
    what: "a C compiler, as cc",
    found: "",
    how: ["Debian, Ubuntu: sudo apt install build-essential", "macOS: xcode-select --install"],
  };
}

/** The machine that this process runs on. */
export function thisMachine() {
  return { nodeVersion: process.versions.node, env: process.env };
}
