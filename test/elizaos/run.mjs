/** Tests against a published ElizaOS: installs it, pinned, where nothing else sees it, and runs the tests beside this file. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "..", "..");
const peers = join(here, "peers");
const venv = join(root, ".cache", "elizaos", "python");
const python = join(venv, "bin", "python");

once(join(peers, "node_modules", ".installed"), join(peers, "package-lock.json"), () =>
  run("npm", ["ci", "--prefix", peers, "--ignore-scripts", "--loglevel=error", "--no-audit", "--no-fund"]),
);
once(join(venv, ".installed"), join(here, "requirements.txt"), () => {
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(join(venv, ".."), { recursive: true });
  run(join(root, ".venv", "bin", "python"), ["-m", "venv", venv]);
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off", "-q"];
  run(python, [...pip, "--require-hashes", "-r", join(here, "requirements.txt")]);
});

// The peer needs a protobuf of its own, so its environment is another; ours is found by path.
const ours = ["packages/python/python", "generated/python", "plugins/weather/python"]
  .map((path) => join(root, path))
  .join(delimiter);
const inPython = { PEERS_PYTHON: python, PEERS_PYTHONPATH: ours };
run(process.execPath, ["--test", join(here, "typescript.peer.mjs"), join(here, "published.peer.mjs")], inPython);
const tests = readdirSync(join(here, "python")).filter((name) => name.startsWith("peer_"));
const pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", join(here, "pytest.ini")];
run(python, [...pytest, ...tests.map((name) => join(here, "python", name))], {
  PYTHONPATH: ours,
  PYTHONDONTWRITEBYTECODE: "1",
});

/** Does `work` unless it was done for this content of the file. */
function once(mark, file, work) {
  const key = createHash("sha256").update(readFileSync(file)).digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === key) return;
  work();
  writeFileSync(mark, key);
}

function run(program, args, env = {}) {
  execFileSync(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
}
