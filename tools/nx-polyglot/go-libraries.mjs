/** Compiles the plugin in Go as a shared library, where its plugin.json says it is. On a machine without Go it says so, and nothing is compiled. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { installBytes, root } from "./plugin-files.mjs";

const plugin = join(root, "plugins/test-plugin/go");
const suffix = { darwin: ".dylib", win32: ".dll" }[process.platform] ?? ".so";
const go = ["go", "/usr/local/go/bin/go"].find(isThere);

if (go === undefined) {
  rmSync(join(plugin, "bin"), { recursive: true, force: true });
  console.log("There is no Go on this machine: the plugin in Go is not compiled, and its tests are skipped");
} else {
  const work = mkdtempSync(join(tmpdir(), "anyplug-go-"));
  try {
    const built = join(work, `libtest-plugin${suffix}`);
    const args = ["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", built, "."];
    // No other Go than the one that is here, and no flags of somebody's own.
    const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "", CGO_ENABLED: "1" };
    env.CGO_CFLAGS = `-O2 -I${join(root, "packages/ffi/include")}`;
    execFileSync(go, args, { cwd: plugin, env, stdio: "inherit" });
    installBytes(readFileSync(built), join(plugin, "bin", `libtest-plugin${suffix}`), 0o755);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function isThere(program) {
  try {
    execFileSync(program, ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
