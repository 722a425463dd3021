import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf } from "./memory.mjs";

const NAME = "Python packages";
const ENVIRONMENT = "Python environment";

/** What of this repository Python finds by name, without installing it. */
const DEVELOPMENT_PATHS = ["packages/python/python", "generated/python"];

/**
 * The virtual environment `.venv` with the packages that requirements-dev.txt pins by hash, installed by pip because
 * pip alone reads the user's own configuration (proxies, mirrors, certificates). It is made anew if it is damaged, was
 * made by another Python or was moved; other pins are installed into the one that is there.
 */
export function pythonPackages(root, python, memory) {
  const requirements = join(root, "requirements-dev.txt");
  const venv = join(root, ".venv");
  const environmentKey = () => keyOf(root, versionOf(python));
  const key = () => keyOf(readFileSync(requirements), environmentKey());
  const isUsable = () => isIntact(venv) && memory.isCurrent(ENVIRONMENT, environmentKey()) && memory.isIntact(NAME);
  return {
    name: NAME,
    get why() {
      return isUsable() ? "other pins" : "a new .venv";
    },
    isCurrent: () => isUsable() && memory.isCurrent(NAME, key()),
    run: async ({ command }) => {
      if (!isUsable()) {
        rmSync(venv, { recursive: true, force: true });
        await command(python, ["-m", "venv", venv]);
        memory.remember(ENVIRONMENT, environmentKey(), []);
      }
      const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"];
      await command(join(venv, "bin", "python"), [...pip, "--require-hashes", "-r", requirements]);
      const packages = sitePackages(venv);
      const paths = join(packages, "anyplug-development.pth");
      writeFileSync(paths, DEVELOPMENT_PATHS.map((path) => `${join(root, path)}\n`).join(""));
      memory.remember(NAME, key(), [paths, ...readdirSync(packages).map((entry) => join(packages, entry))]);
    },
  };
}

function versionOf(python) {
  return spawnSync(python, ["--version"], { encoding: "utf8" }).stdout ?? "";
}

/** Follows the link to the interpreter that the environment was made from: that one may be gone. */
function isIntact(venv) {
  return existsSync(join(venv, "pyvenv.cfg")) && existsSync(join(venv, "bin", "python"));
}

function sitePackages(venv) {
  const [version] = readdirSync(join(venv, "lib")).filter((name) => name.startsWith("python"));
  return join(venv, "lib", version ?? "", "site-packages");
}
