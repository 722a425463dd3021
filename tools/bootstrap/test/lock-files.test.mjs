import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

test("the lock file has the packages of every platform: without them npm ci refuses it", () => {
  const absent = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    ),
  );
  expect(absent).toEqual([]);
});

test("the lock files carry no download addresses, so that every mirror will do", () => {
  expect(Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && !link)).toEqual([]);
  expect(readFileSync(join(root, "requirements-dev.txt"), "utf8")).not.toMatch(/https?:\/\//);
});

test("every Python package is pinned to one version and by its hashes", () => {
  const requirements = readFileSync(join(root, "requirements-dev.txt"), "utf8");
  const blocks = requirements.split(/^(?=[A-Za-z])/m).filter((block) => /^[A-Za-z]/.test(block));
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks) expect(block).toMatch(/^[\w.-]+==\S+ [\s\S]*--hash=sha256:[0-9a-f]{64}/);
});
