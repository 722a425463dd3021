import { Refusal } from "./refusal.js";

/** The options after `opt:` in buf.gen.yaml, or after `--anyplug_opt=`. */
export interface Options {
  readonly target: "ts" | "rust" | "python";
  /** Where the core's `codegen/v1` is imported from. */
  readonly core: string;
  /** Rust only: where the codec of messages is imported from. */
  readonly codec: string;
  /** Whether messages are written; where not, they are expected where they would be. */
  readonly messages: boolean;
  /** Whether stubs are written. */
  readonly services: boolean;
  /** TypeScript only: what relative imports end in. */
  readonly importSuffix: string;
  /** TypeScript only: .proto file to the module that its messages are imported from, as protoc's generators have it. */
  readonly modules: ReadonlyMap<string, string>;
  /** Rust only: `.package` or `.package.Message` to its Rust path. */
  readonly externPaths: ReadonlyMap<string, string>;
  /** Rust only: `.`, `.package` or `.package.Message` whose messages have a member for unknown fields. */
  readonly keepUnknownFields: readonly string[];
}

const defaultCore = {
  ts: "@anyplug/core/codegen/v1",
  rust: "::anyplug::codegen::v1",
  python: "anyplug.codegen.v1",
};

/**
 * Reads the options.
 *
 * @throws Refusal when one is missing or unknown
 */
export function parseOptions(parameter: string): Options {
  let target: Options["target"] | undefined;
  let core: string | undefined;
  let codec: string | undefined;
  let messages = true;
  let services = true;
  let importSuffix = ".js";
  const modules = new Map<string, string>();
  const externPaths = new Map<string, string>();
  const keepUnknownFields: string[] = [];
  for (const option of parameter.split(",").map((text) => text.trim())) {
    if (option === "") continue;
    const [key, value] = splitOnce(option);
    if (key === "target") target = targetOf(value);
    else if (key === "core") core = value;
    else if (key === "codec") codec = value;
    else if (key === "messages" && isBoolean(value)) messages = value === "true";
    else if (key === "services" && isBoolean(value)) services = value === "true";
    else if (key === "import_suffix") importSuffix = value;
    else if (key === "extern_path") externPaths.set(...splitOnce(value));
    else if (key === "keep_unknown_fields" && value.startsWith(".")) keepUnknownFields.push(value);
    else if (/^M.+\.proto$/.test(key)) modules.set(key.slice(1), value);
    else throw new Refusal(`unknown option "${option}"; there are ${known}`);
  }
  if (target === undefined) throw new Refusal("option target is missing: target=ts, target=rust or target=python");
  core ??= defaultCore[target];
  codec ??= `${core}::codec`;
  return { target, core, codec, messages, services, importSuffix, modules, externPaths, keepUnknownFields };
}

const known =
  "target=ts|rust|python, core=…, messages=true|false, services=true|false, import_suffix=…, extern_path=.package=::path, keep_unknown_fields=.package, codec=::path, Mfile.proto=module";

function isBoolean(value: string): boolean {
  return value === "true" || value === "false";
}

function targetOf(value: string): Options["target"] {
  if (value === "ts" || value === "rust" || value === "python") return value;
  throw new Refusal(`unknown target "${value}"; there are ts, rust and python`);
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
