/** Checks a module before it is compiled: which of its functions can be called, and whether it gets what it wants. */

import { checkMemories, type Importable, importFaults, refused, wasiTypesOf } from "../check.js";
import type { ModuleKind } from "../compile.js";
import { wasiModule } from "../wasi.js";

/** The module that the functions of the kernel are imported from. */
export const environment = "extism:host/env";
/** The module that functions of the host's own are imported from. */
export const userModule = "extism:host/user";

/** What the kernel has, by name: https://github.com/extism/extism/tree/main/kernel */
const kernelTypes: Readonly<Record<string, string>> = {
  alloc: "(i64) -> i64",
  config_get: "(i64) -> i64",
  error_get: "() -> i64",
  error_set: "(i64)",
  free: "(i64)",
  get_log_level: "() -> i32",
  http_headers: "() -> i64",
  http_request: "(i64, i64) -> i64",
  http_status_code: "() -> i32",
  input_length: "() -> i64",
  input_load_u64: "(i64) -> i64",
  input_load_u8: "(i64) -> i32",
  input_offset: "() -> i64",
  length: "(i64) -> i64",
  length_unsafe: "(i64) -> i64",
  load_u64: "(i64) -> i64",
  load_u8: "(i64) -> i32",
  log_debug: "(i64)",
  log_error: "(i64)",
  log_info: "(i64)",
  log_trace: "(i64)",
  log_warn: "(i64)",
  output_set: "(i64, i64)",
  store_u64: "(i64, i64)",
  store_u8: "(i64, i32)",
  var_get: "(i64) -> i64",
  var_set: "(i64, i64)",
};

/** Types that a function of the host's own may have: it takes a block, and may give one back. */
const userTypes = ["(i64) -> i64", "(i64)"];

/** What is kept of an Extism plugin's module. */
export interface ExtismFacts {
  /** The functions that can be called. */
  readonly functions: readonly string[];
}

/** Extism plugins for a host that has functions of those names. */
export function extismModule(userFunctions: readonly string[]): ModuleKind<ExtismFacts> {
  return {
    name: `extism ${JSON.stringify([...userFunctions].sort())}`,
    check({ imports, exports, memories }, limits, place) {
      const user: Record<string, string> = {};
      for (const { module, name, type = "(i64)" } of imports) {
        if (module === userModule && userFunctions.includes(name) && userTypes.includes(type)) user[name] = type;
      }
      const importable: Importable = {
        [environment]: kernelTypes,
        [userModule]: user,
        [wasiModule]: wasiTypesOf(limits),
      };
      const faults = importFaults(imports, importable);
      if (faults.length > 0) throw refused(place, faults.join("; "));
      checkMemories(memories, limits, place);
      const callable = exports.filter(({ kind, type = "() -> i32" }) => kind === "function" && type === "() -> i32");
      return { functions: callable.map(({ name }) => name) };
    },
  };
}
