/** anyplug.h is good C11 and C++, and its structs are laid out as they are told. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test.each([
  ["c", "c11"],
  ["c", "c17"],
  ["c++", "c++11"],
  ["c++", "c++17"],
])("as %s of the standard %s, without a warning", async (language, standard) => {
  const warnings = ["-Wall", "-Wextra", "-pedantic", "-Werror"];
  const include = `-I${path("../../packages/ffi/include")}`;
  const args = ["-fsyntax-only", "-x", language, `-std=${standard}`, ...warnings, include, path("c/layout.c")];
  await promisify(execFile)(process.env["CC"] || "cc", args);
});
