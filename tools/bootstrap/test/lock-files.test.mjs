import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const read = (path) => readFileSync(join(root, path), "utf8");
const { packages } = JSON.parse(read("package-lock.json"));
const npmLocks = ["package-lock.json", "tools/bench/peers/package-lock.json"];
const requirementFiles = ["requirements-dev.txt", "tools/bench/requirements.txt"];

test("the lock file has the packages of every platform: without them npm ci refuses it", () => {
  const absent = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    ),
  );
  expect(absent).toEqual([]);
});

test.each(npmLocks)("%s carries no download addresses, so that every mirror will do", (path) => {
  const locked = Object.entries(JSON.parse(read(path)).packages);
  expect(locked.filter(([, { resolved, link }]) => resolved !== undefined && !link)).toEqual([]);
});

test.each(requirementFiles)("%s pins every package to one version and by its hashes, without addresses", (path) => {
  const requirements = read(path);
  expect(requirements).not.toMatch(/https?:\/\//);
  const blocks = requirements.split(/^(?=[A-Za-z])/m).filter((block) => /^[A-Za-z]/.test(block));
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks) expect(block).toMatch(/^[\w.-]+==\S+ [\s\S]*--hash=sha256:[0-9a-f]{64}/);
});
