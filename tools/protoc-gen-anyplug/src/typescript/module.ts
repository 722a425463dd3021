import type { DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";
import { Imports } from "../imports.js";
import type { Options } from "../options.js";
import { fileName } from "../source.js";
import { type HelperName, helpers, helpersOf } from "./helpers.js";
import { helperName, moduleOf, typeName, typeNames } from "./names.js";

/** What the code of messages uses of the language. An imported message that is called like one of these gets another name in the module. */
const globals = [
  "Array",
  "BigInt",
  "Date",
  "Error",
  "Function",
  "Map",
  "Object",
  "RangeError",
  "TypeError",
  "Uint8Array",
] as const;

/** What the names in a module of messages mean: its own, those it imports, those of the language. */
export class MessageModule {
  readonly #imports: Imports;
  readonly #used = new Set<HelperName>();
  readonly #own: ReadonlySet<string>;

  constructor(
    readonly file: DescFile,
    readonly options: Options,
  ) {
    this.#own = typeNames(file);
    const ofHelpers = Object.keys(helpers).map((name) => helperName(file, name));
    this.#imports = new Imports([...this.#own, ...ofHelpers, ...globals]);
  }

  /** The name of a message or enum, which is imported when another file has it. */
  type(type: DescMessage | DescEnum): string {
    if (type.file === this.file) return typeName(type);
    return this.#imports.use(moduleOf(type, fileName(this.file), this.options), typeName(type));
  }

  /** What the wire module of protobuf-es exports. */
  wire(symbol: "BinaryReader" | "BinaryWriter"): string {
    return this.#imports.use("@bufbuild/protobuf/wire", symbol);
  }

  /** A name that the language has, also where a message is called like that. */
  global(name: (typeof globals)[number]): string {
    return this.#own.has(name) ? `globalThis.${name}` : name;
  }

  /** A name that is the module's own and not exported. */
  local(name: string): string {
    let local = name;
    while (this.#own.has(local)) local += "_";
    return local;
  }

  /** A function or a type at the end of the module. */
  helper(name: HelperName): string {
    this.#used.add(name);
    return helperName(this.file, name);
  }

  /** The lines that import what was named. */
  imports(): string[] {
    return this.#imports.sorted().map(([module, symbols]) => {
      const names = symbols.map(([symbol, local]) => (local === symbol ? symbol : `${symbol} as ${local}`));
      const line = `import { ${names.join(", ")} } from "${module}";`;
      return line.length <= 120 ? line : `import {\n  ${names.join(",\n  ")},\n} from "${module}";`;
    });
  }

  /** The lines of what was used of the helpers. */
  helpers(): string[] {
    return helpersOf(this.#used, this);
  }
}
