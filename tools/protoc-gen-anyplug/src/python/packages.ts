import type { DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";
import { withTypeReferences } from "../descriptor-set.js";
import type { Options } from "../options.js";
import type { Output, Source } from "../output.js";
import type { Problems } from "../refusal.js";
import { fileName } from "../source.js";
import { messageModule } from "./messages.js";
import { PythonNames, packageFolder, withNested } from "./names.js";
import { pythonPool } from "./pool.js";
import { pythonStub } from "./stub.js";
import { pythonTable } from "./tables.js";

/** What a package has in the files that are written for it. */
export interface PythonPackage {
  readonly name: string;
  /** The .proto files, in order. */
  readonly paths: readonly string[];
  readonly messages: readonly DescMessage[];
  readonly enums: readonly DescEnum[];
}

/**
 * Writes the Python package that the plugin's `out` folder is: for each protobuf package its messages and stubs, and
 * what lies above and beside them.
 *
 * Covered are the wanted files and those whose types their messages and services refer to, the well-known types too.
 */
export function pythonPackages(
  files: readonly DescFile[],
  sources: readonly Source[],
  options: Options,
  problems: Problems,
): Output[] {
  const covered = withTypeReferences(files);
  const names = new PythonNames(covered, problems);
  const packages = packagesOf(covered);
  const stubs = sources.map((source) => problems.collect(() => pythonStub(source, names, options)));
  const modules = packages.flatMap((part) => [messageModule(part, names, options), pythonTable(part, names)]);
  if (!options.messages) return stubs.filter((stub) => stub !== undefined);
  const outputs = [...stubs.filter((stub) => stub !== undefined), ...modules, pythonPool(options)];
  return [...outputs, ...surroundings(outputs)];
}

function packagesOf(files: readonly DescFile[]): PythonPackage[] {
  const byName = new Map<string, DescFile[]>();
  for (const file of files) byName.set(file.proto.package, [...(byName.get(file.proto.package) ?? []), file]);
  return [...byName]
    .map(([name, members]) => {
      const types = members.flatMap((file) => [...file.messages.flatMap(withNested), ...file.enums]);
      return {
        name,
        paths: members.map(fileName),
        messages: types.filter((type) => type.kind === "message"),
        enums: types.filter((type) => type.kind === "enum"),
      };
    })
    .filter(({ messages, enums }) => messages.length + enums.length > 0);
}

/** An `__init__.py` for each folder that has none, and the mark that the package has types. */
function surroundings(outputs: readonly Output[]): Output[] {
  const folders = new Set([packageFolder("")]);
  for (const { path } of outputs) {
    const parts = path.split("/").slice(0, -1);
    for (const index of parts.keys()) folders.add(`${parts.slice(0, index + 1).join("/")}/`);
  }
  const present = new Set(outputs.map(({ path }) => path));
  const missing = [...folders].map((folder) => `${folder}__init__.py`).filter((path) => !present.has(path));
  return [...missing, "py.typed"].map((path) => ({ path, content: "" }));
}
