/**
 * The test beside the published crate `elizaos`: `node test/elizaos/crate.mjs`. It is no step of `npm test`, because crate and test take some 150 s of two cores to be built
 * from nothing, 250 packages that nothing else here needs.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
execFileSync("cargo", ["test", "--locked"], {
  cwd: join(root, "packages", "elizaos", "rust-runtime"),
  stdio: "inherit",
  env: {
    ...process.env,
    CARGO_TARGET_DIR: join(root, ".cache", "elizaos", "target"),
    PROTOC: join(import.meta.dirname, "protoc.mjs"),
  },
});
