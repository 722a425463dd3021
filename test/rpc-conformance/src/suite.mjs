/** What is taken from the suite's Go module: the runner, the schemas and the templates of the tests. All of it is kept in the project's cache. */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);
const module = "connectrpc.com/conformance";
const version = "v1.0.5";
/** Compiling it takes two minutes of a processor; this is for machines that are busy. */
const timeoutMs = 900_000;

/** What is copied out of the module. */
const folders = { proto: "proto", templates: "internal/app/connectconformance/testsuites/data" };

/**
 * Returns the paths of the runner, of the folder of schemas and of that of templates.
 *
 * @param {string} cache the project's cache
 * @param {(text: string) => void} say told what is being done
 * @throws Error that says why it cannot be had
 */
export async function suite(cache, say) {
  const place = join(cache, `connectconformance-${version}`);
  const paths = {
    runner: join(place, "connectconformance"),
    proto: join(place, "proto"),
    templates: join(place, "templates"),
  };
  if (existsSync(paths.templates)) return paths;
  const go = await findGo();
  // Whoever is first puts it in place; one that was interrupted leaves nothing behind that counts.
  const work = `${place}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    say(`Compiling ${module} ${version} (once)`);
    // Without a C compiler, and with a runner that needs no library of the machine.
    await command(go, ["install", `${module}/cmd/connectconformance@${version}`], { GOBIN: work, CGO_ENABLED: "0" });
    const { Dir } = JSON.parse((await command(go, ["mod", "download", "-json", `${module}@${version}`])).stdout);
    for (const [name, folder] of Object.entries(folders)) copy(join(Dir, folder), join(work, name));
    rmSync(place, { recursive: true, force: true });
    renameSync(work, place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return paths;
}

/** Go's cache of modules is read-only; a copy of it could not be removed. */
function copy(from, to) {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith(".go") });
  chmodSync(to, 0o755);
}

async function findGo() {
  for (const go of ["go", "/usr/local/go/bin/go"]) {
    try {
      await run(go, ["version"]);
      return go;
    } catch {
      // The next one.
    }
  }
  throw new Error("there is no Go here to compile its runner with");
}

async function command(program, args, env = {}) {
  try {
    return await run(program, args, { env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: "SIGKILL" });
  } catch (error) {
    const why = error.killed ? `took longer than ${timeoutMs / 1000} s` : (error.stderr || error.message).trim();
    throw new Error(`${program} ${args.join(" ")}: ${why}`);
  }
}
