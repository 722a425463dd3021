/** A user's own folder: his schema, his buf.gen.yaml, our packages as they are packed. Generated, built and run in each language. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "anyplug-outside-"));
const tools = join(root, "node_modules/.bin");

interface Manifest {
  name: string;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
}

/** What our packages are, by their names. */
const packages = new Map(
  [
    ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/ts`),
    "generated/protocol/ts",
    "tools/protoc-gen-anyplug",
  ]
    .filter((path) => existsSync(join(root, path, "package.json")))
    .map((path) => {
      const manifest: Manifest = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
      return [manifest.name, { path, manifest }] as const;
    }),
);

/** Runs a program and returns what it wrote; what it says when it fails is the failure. */
function run(program: string, args: string[], cwd = folder, env: Record<string, string> = {}): Promise<string> {
  const path = [join(root, ".venv/bin"), join(root, "target/fast"), process.env["PATH"]].join(":");
  return new Promise((done, fail) => {
    const options = { cwd, env: { ...process.env, PATH: path, ...env }, maxBuffer: 1 << 26 };
    execFile(program, args, options, (error, stdout, stderr) =>
      error === null ? done(stdout) : fail(new Error(`${error.message}\n${stdout}\n${stderr}`)),
    );
  });
}

/** What a package needs: ours from tarballs, which are packed all at once, others from the repository. */
async function install(names: readonly string[]): Promise<void> {
  const wanted = new Set(names);
  for (const name of wanted)
    for (const next of Object.keys(packages.get(name)?.manifest.dependencies ?? {})) wanted.add(next);
  const own = [...wanted].flatMap((name) => packages.get(name) ?? []);
  const paths = own.map(({ path }) => join(root, path));
  const packed: { name: string; filename: string }[] = JSON.parse(
    await run("npm", ["pack", "--json", "--pack-destination", folder, ...paths], root),
  );
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  for (const name of wanted) {
    const target = join(folder, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    const tarball = packed.find((pack) => pack.name === name);
    if (tarball === undefined) {
      symlinkSync(join(root, "node_modules", name), target);
      continue;
    }
    mkdirSync(target);
    await run("tar", ["-xzf", tarball.filename, "--strip-components=1", "-C", target]);
    for (const [command, file] of Object.entries(packages.get(name)?.manifest.bin ?? {})) {
      chmodSync(join(target, file), 0o755);
      symlinkSync(join(target, file), join(folder, "node_modules/.bin", command));
    }
  }
}

const python = { PYTHONPATH: join(root, "packages/python/python"), MYPYPATH: join(root, "packages/python/python") };

beforeAll(async () => {
  cpSync(join(import.meta.dirname, "user"), folder, { recursive: true });
  await install(["@anyplug/protoc-gen-anyplug", "anyplug", "@anyplug/sdk", "@types/node"]);
  await run(join(tools, "buf"), ["generate"]);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the TypeScript compiles under strict checks, without skipping a library", async () => {
  await run(join(tools, "tsc"), ["-p", "."]);
}, 300_000);

test("the Python passes mypy's strict checks", async () => {
  // The messages and stubs are checked with what imports them.
  await run("mypy", ["--strict", "shop_plugin.py", "host.py", "shop_generated"], join(folder, "python"), python);
}, 300_000);

test("the Rust compiles with warnings denied", async () => {
  const rust = join(folder, "rust");
  const manifest = readFileSync(join(rust, "Cargo.toml"), "utf8");
  writeFileSync(join(rust, "Cargo.toml"), manifest.replaceAll("ANYPLUG", root));
  copyFileSync(join(root, "Cargo.lock"), join(rust, "Cargo.lock"));
  // The dependencies are those of the workspace, and most are built already. Its host loads no modules, and builds without wasmtime.
  const target = join(root, "target");
  await run("cargo", ["build", "--quiet", "--profile", "fast"], rust, { CARGO_TARGET_DIR: target });
  mkdirSync(join(rust, "bin"));
  for (const program of ["shop", "host"]) copyFileSync(join(target, "fast", program), join(rust, "bin", program));
}, 900_000);

const hosts: Record<string, (plugin: string) => Promise<string>> = {
  ts: (plugin) => run("node", ["ts/dist/host.js", plugin], folder, python),
  python: (plugin) => run("python", ["python/host.py", plugin], folder, python),
  rust: (plugin) => run("rust/bin/host", [plugin], folder, python),
};

test.each(Object.keys(hosts).flatMap((host) => Object.keys(hosts).map((plugin) => [host, plugin] as const)))(
  "a host in %s and a plugin in %s understand each other",
  async (host, plugin) => {
    const runHost = hosts[host];
    expect(await runHost?.(join(folder, plugin))).toBe(
      "book 2000000000000 none a+b 5.6000 price.cents me 1 page x y\n",
    );
  },
);
