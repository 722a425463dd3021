/** What the C compiler has: the host and the plugins in C, with checks compiled in on both sides. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { isThere, root, succeeds } from "./run.mjs";

const compiler = process.env.CC || "cc";
const flags = "-std=c11 -Wall -Wextra -pedantic -Werror -O1 -g -pthread -D_POSIX_C_SOURCE=200809L".split(" ");
const include = `-I${join(root, "packages/ffi/include")}`;
const tests = join(root, "test/ffi/c");
const libraries = [
  ["plugin", join(root, "plugins/test-plugin/c/plugin.c"), []],
  ["late", join(tests, "late.c"), []],
  ["busy", join(tests, "late.c"), ["-Dbusy"]],
];

/** The tools; what they compile goes into the folder `work`. */
export function compilerTools(work) {
  return [
    ["cc-address", "address,undefined", "AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer"],
    ["cc-thread", "thread", "ThreadSanitizer"],
  ].map(([name, kinds, what]) => ({
    name,
    over: `${what} over a host and ${libraries.length} plugins in C`,
    missing: missing(work, kinds),
    run: () => ({ failed: drive(work, kinds) }),
  }));
}

function missing(work, kinds) {
  const source = join(work, "nothing.c");
  writeFileSync(source, "int main(void) { return 0; }\n");
  const built = isThere(compiler, `-fsanitize=${kinds}`, source, "-o", join(work, "nothing"));
  return built ? undefined : `a C compiler (${compiler}) with -fsanitize=${kinds}`;
}

function drive(work, kinds) {
  const checks = [`-fsanitize=${kinds}`, "-fno-sanitize-recover=all"];
  const built = (name) => join(work, `${kinds.replace(",", "-")}-${name}`);
  const compile = (source, more, to) =>
    succeeds(compiler, [...flags, ...checks, include, ...more, source, "-o", to, "-ldl"]);
  if (!compile(join(tests, "driver.c"), ["-fPIE"], built("driver"))) return ["driver.c"];
  const shared = ["-fPIC", "-shared", "-fvisibility=hidden"];
  return libraries
    .filter(([name, source, more]) => {
      const library = built(`${name}.so`);
      return !(compile(source, [...shared, ...more], library) && succeeds(built("driver"), [library]));
    })
    .map(([name]) => name);
}
