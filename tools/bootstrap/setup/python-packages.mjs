import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf } from "./memory.mjs";

const NAME = "Python packages";

/** What of this repository Python finds by name, without installing it. */
const DEVELOPMENT_PATHS = ["packages/python/python", "generated/python"];

/**
 * The virtual environment `.venv` with the packages that requirements-dev.txt pins by hash, installed by pip because
 * pip alone reads the user's own configuration (proxies, mirrors, certificates).
 */
export function pythonPackages(root, python, memory) {
  const requirements = join(root, "requirements-dev.txt");
  const venv = join(root, ".venv");
  const key = () => keyOf(readFileSync(requirements), root, versionOf(python));
  return {
    name: NAME,
    why: "a new .venv",
    isCurrent: () => isIntact(venv) && memory.isCurrent(NAME, key()),
    run: async ({ command }) => {
      rmSync(venv, { recursive: true, force: true });
      await command(python, ["-m", "venv", venv]);
      const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"];
      await command(join(venv, "bin", "python"), [...pip, "--require-hashes", "-r", requirements]);
      const packages = sitePackages(venv);
      const paths = join(packages, "anyplug-development.pth");
      mkdirSync(join(root, ".cache"), { recursive: true });
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
