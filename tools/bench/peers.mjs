/** The peers, installed by the benchmark alone: npm packages beside the programs that use them, Python packages in an environment of their own. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { keyOf } from "../bootstrap/setup/memory.mjs";
import { outdatedNpm } from "../bootstrap/setup/npm-packages.mjs";
import { cacheFolder, root } from "../bootstrap/setup/paths.mjs";

const npmFolder = join(root, "tools", "bench", "peers");
const venv = join(cacheFolder, "bench", "python");
const PYTHON = "Benchmark peers for Python";

/** The Python that has the peers. */
export const benchPython = join(venv, "bin", "python");

/** Returns the steps of set-up that the benchmark has beside everyone's. */
export function peerSteps(python, memory) {
  return [npmPeers(), pythonPeers(python, memory)];
}

function npmPeers() {
  return {
    name: "Benchmark peers for Node",
    get why() {
      return `npm ci, because of ${outdatedNpm(npmFolder)}`;
    },
    isCurrent: () => outdatedNpm(npmFolder) === undefined,
    run: ({ command }) => command("npm", ["ci", "--prefix", npmFolder, "--loglevel=error", "--no-audit", "--no-fund"]),
  };
}

function pythonPeers(python, memory) {
  const requirements = join(root, "tools", "bench", "requirements.txt");
  const key = () => keyOf(root, readFileSync(requirements));
  return {
    name: PYTHON,
    why: "its own environment",
    isCurrent: () => existsSync(benchPython) && memory.isCurrent(PYTHON, key()),
    run: async ({ command }) => {
      rmSync(venv, { recursive: true, force: true });
      await command(python, ["-m", "venv", venv]);
      const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"];
      await command(benchPython, [...pip, "--require-hashes", "-r", requirements]);
      const library = join(venv, "lib");
      const packages = readdirSync(library).map((name) => join(library, name, "site-packages"));
      memory.remember(PYTHON, key(), packages);
    },
  };
}
