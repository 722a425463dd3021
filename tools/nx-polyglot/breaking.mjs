/**
 * Runs `buf breaking` against what others may rely on: the schemas of the last release (the newest tag v…), and as long
 * as there is none those of the main branch where this one left it, so that a review sees what a change would break. On
 * the main branch itself that is the last commit. `--reference` prints which commit that is and runs nothing.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

function git(...args) {
  const result = spawnSync("git", args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : "";
}

function findReference() {
  const release = git("describe", "--tags", "--match", "v*", "--abbrev=0");
  return (
    git("rev-parse", `${release}^{commit}`) || git("merge-base", "HEAD", "origin/main") || git("rev-parse", "HEAD")
  );
}

const reference = existsSync(".git") ? findReference() : "";
if (process.argv.includes("--reference")) {
  console.log(reference);
  process.exit(0);
}
if (reference === "") {
  console.log("Not a git checkout: there is nothing to compare the schemas with.");
  process.exit(0);
}
if (git("ls-tree", reference, "buf.yaml") === "") {
  console.log("No commit has schemas yet: there is nothing to compare them with.");
  process.exit(0);
}
console.log(`Comparing the schemas with ${git("describe", "--all", "--always", reference)}`);
const { status } = spawnSync("buf", ["breaking", "--against", `.git#ref=${reference}`], { stdio: "inherit" });
process.exit(status ?? 1);
