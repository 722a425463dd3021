/**
 * Runs `buf breaking` against the schemas of the last release (the newest tag v…), or of the last commit as long as
 * there is none.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

function git(...args) {
  const result = spawnSync("git", args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : "";
}

if (!existsSync(".git")) {
  console.log("Not a git checkout: there is nothing to compare the schemas with.");
  process.exit(0);
}
const reference = git("describe", "--tags", "--match", "v*", "--abbrev=0") || git("rev-parse", "HEAD");
if (reference === "" || git("ls-tree", reference, "buf.yaml") === "") {
  console.log("No commit has schemas yet: there is nothing to compare them with.");
  process.exit(0);
}
console.log(`Comparing the schemas with ${reference}`);
const { status } = spawnSync("buf", ["breaking", "--against", `.git#ref=${reference}`], { stdio: "inherit" });
process.exit(status ?? 1);
