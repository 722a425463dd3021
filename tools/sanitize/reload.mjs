/** Libraries that are built anew at one path, loaded and closed, ten thousand times in each host: what a process has more than before. */
import { join } from "node:path";
import process from "node:process";
import { isThere, output, root } from "./run.mjs";

const loads = 10_000;
const suffix = process.platform === "darwin" ? ".dylib" : ".so";
const libraries = {
  // Another one each time, and a program of 20 KB.
  c: [1, 2, 3].map((build) => join(root, `test/ffi/bin/rebuilt-${build}.so`)),
  // With a runtime and threads of its own.
  rust: [join(root, `plugins/test-plugin/rust/bin/libtest-plugin${suffix}`)],
};
/** More than this for one load is a leak that nobody has told of, in KiB: docs/native.md has what there is. */
const memory = { c: 4, rust: 40 };
/** Mappings and descriptors that may come and go. */
const slack = 50;

const hosts = {
  typescript: () => ["node", "--expose-gc", join(root, "test/ffi/reload/host.mjs")],
  python: () => [join(root, ".venv/bin/python"), join(root, "test/ffi/reload/host.py")],
  rust: rustHost,
};

export function reloadTools() {
  return Object.keys(hosts).flatMap((host) =>
    Object.keys(libraries).map((plugin) => ({
      name: `reload-${host}-${plugin}`,
      over: `${loads} loads of a plugin in ${plugin === "c" ? "C" : "Rust"} by the host in ${host}`,
      missing: missing(host, libraries[plugin]),
      run: () => reload(hosts[host](), plugin),
    })),
  );
}

function missing(host, files) {
  if (process.platform !== "linux") return "Linux, whose /proc is read";
  if (host === "python" && !isThere(join(root, ".venv/bin/python"), "--version")) return "npm start, which makes .venv";
  return files.every((file) => isThere("test", "-e", file)) ? undefined : "npm start, which builds the libraries";
}

/** The host in Rust is an example of test/ffi/rust. */
function rustHost() {
  const args = ["build", "--workspace", "--profile", "fast", "--locked", "--example", "reload"];
  const built = output("cargo", [...args, "--message-format", "json"]) ?? "";
  const messages = built.split("\n").filter((line) => line.startsWith("{"));
  const found = messages
    .map((line) => JSON.parse(line))
    .find(({ executable, target }) => executable && target.name === "reload");
  return [found?.executable ?? "false"];
}

function reload([program, ...args], plugin) {
  const printed = output(program, [...args, String(loads), ...libraries[plugin]]);
  if (printed === undefined) return { failed: ["a load"] };
  const { before, after, versions } = JSON.parse(printed);
  const more = (what) => after[what] - before[what];
  const each = more("memory") / loads;
  const failed = ["mappings", "descriptors"].filter((what) => more(what) > slack);
  if (each > memory[plugin]) failed.push("memory");
  if (versions !== libraries[plugin].length) failed.push("a library that is not the last one built");
  const told = `${each.toFixed(2)} KiB, ${more("mappings") / loads} mappings and ${more("descriptors") / loads} descriptors for each load`;
  return { failed, told };
}
