import { camelCase } from "../casing.js";
import { Imports } from "../imports.js";
import { nameMethods } from "../method-names.js";
import type { Options } from "../options.js";
import { generatedFrom, indent, type Output, type Source } from "../output.js";
import type { Method, Service } from "../service.js";
import { docComment } from "./comment.js";
import { helperName, memberName, moduleOf, typeName } from "./names.js";

/** Names of the language that a message may have as well. */
const globals = ["AsyncIterable", "Iterable", "Promise", "descriptorSet"];

/** Writes `x_anyplug.ts` beside `x.ts`. */
export function typescriptStub(source: Source, options: Options): Output {
  const own = source.services.flatMap(({ stub }) => [stub, `${stub}Client`, `${stub}Handler`]);
  const scope = new Scope(source, options, new Imports([...own, ...globals]));
  const services = source.services.map((service) => new ServiceStub(service, scope));
  // The interfaces first: they settle the imports in the order of the schema.
  const body = services.flatMap((service) => [
    "",
    ...service.client(),
    "",
    ...service.handler(),
    "",
    ...service.descriptor(),
  ]);
  const lines = [
    `// ${generatedFrom(source.path)}`,
    "/* eslint-disable */",
    "",
    ...scope.imports(),
    "",
    "const descriptorSet =",
    ...base64Lines(source.descriptorSet),
    ...body,
  ];
  return { path: source.path.replace(/\.proto$/, "_anyplug.ts"), content: `${lines.join("\n")}\n` };
}

/** What the names in a file mean. */
class Scope {
  /** What is imported as a type: local names, of which there is one for each symbol of a module. */
  readonly #types = new Set<string>();

  constructor(
    readonly source: Source,
    readonly options: Options,
    readonly locals: Imports,
  ) {}

  message(message: Method["input"]): string {
    return this.locals.use(moduleOf(message, this.source.path, this.options), typeName(message));
  }

  /** The type in which any member may be left out. */
  partial(message: Method["input"]): string {
    const [first = message] = this.source.services.flatMap((service) => service.methods.map((method) => method.input));
    const helper = helperName(first.file, "DeepPartial");
    const local = this.locals.use(moduleOf(first, this.source.path, this.options), helper);
    this.#types.add(local);
    return `${local}<${this.message(message)}>`;
  }

  core(symbol: string, kind: "type" | "value"): string {
    const local = this.locals.use(this.options.core, symbol);
    if (kind === "type") this.#types.add(local);
    return local;
  }

  imports(): string[] {
    return this.locals.sorted().map(([module, symbols]) => {
      const names = symbols.map(([symbol, local]) => {
        return `${this.#types.has(local) ? "type " : ""}${symbol}${local === symbol ? "" : ` as ${local}`}`;
      });
      const line = `import { ${names.join(", ")} } from "${module}";`;
      return line.length <= 120 ? line : `import {\n${indent(names, "  ").join(",\n")},\n} from "${module}";`;
    });
  }
}

class ServiceStub {
  readonly #names: readonly string[];

  constructor(
    readonly service: Service,
    readonly scope: Scope,
  ) {
    this.#names = nameMethods(service, camelCase, memberName);
  }

  client(): string[] {
    return this.#members(`${this.service.stub}Client`, (method) => {
      const options = `options?: ${this.scope.core("CallOptions", "type")}`;
      const request = this.scope.partial(method.input);
      const response = this.scope.message(method.output);
      switch (method.kind) {
        case "unary":
          return `(request: ${request}, ${options}): Promise<${response}>`;
        case "server_stream":
          return `(request: ${request}, ${options}): AsyncIterable<${response}>`;
        case "client_stream":
          return `(requests: ${iterable(request)}, ${options}): Promise<${response}>`;
        case "bidi_stream":
          return `(requests: ${iterable(request)}, ${options}): AsyncIterable<${response}>`;
      }
    });
  }

  handler(): string[] {
    return this.#members(`${this.service.stub}Handler`, (method) => {
      const context = `context: ${this.scope.core("HandlerContext", "type")}`;
      const request = this.scope.message(method.input);
      const response = this.scope.partial(method.output);
      switch (method.kind) {
        case "unary":
          return `(request: ${request}, ${context}): ${response} | Promise<${response}>`;
        case "server_stream":
          return `(request: ${request}, ${context}): ${iterable(response)}`;
        case "client_stream":
          return `(requests: AsyncIterable<${request}>, ${context}): ${response} | Promise<${response}>`;
        case "bidi_stream":
          return `(requests: AsyncIterable<${request}>, ${context}): ${iterable(response)}`;
      }
    });
  }

  descriptor(): string[] {
    const { stub, name, fingerprint, comment, deprecated, methods } = this.service;
    const define = this.scope.core("defineService", "value");
    const type = `${this.scope.core("ServiceDescriptor", "type")}<${stub}Client, ${stub}Handler>`;
    return [
      ...docComment(comment, deprecated),
      `export const ${stub}: ${type} = /*@__PURE__*/ ${define}<${stub}Client, ${stub}Handler>({`,
      `  name: "${name}",`,
      `  fingerprint: "${fingerprint}",`,
      "  descriptorSet,",
      methods.length === 0 ? "  methods: []," : "  methods: [",
      ...methods.flatMap((method, index) => this.#method(method, this.#names[index] ?? "")),
      ...(methods.length === 0 ? [] : ["  ],"]),
      "});",
    ];
  }

  #method(method: Method, localName: string): string[] {
    const members = [
      `name: "${method.name}"`,
      `localName: "${localName}"`,
      `kind: "${method.kind}"`,
      `input: ${this.scope.message(method.input)}`,
      `output: ${this.scope.message(method.output)}`,
      `idempotent: ${method.idempotent}`,
      `defaultTimeoutMs: ${method.defaultTimeoutMs}`,
      `requiredCapability: ${JSON.stringify(method.requiredCapability)}`,
    ];
    return ["    {", ...indent(members, "      ").map((member) => `${member},`), "    },"];
  }

  #members(name: string, signature: (method: Method) => string): string[] {
    const { comment, deprecated, methods } = this.service;
    const members = methods.flatMap((method, index) => [
      ...docComment(method.comment, method.deprecated),
      `${this.#names[index]}${signature(method)};`,
    ]);
    return [...docComment(comment, deprecated), `export interface ${name} {`, ...indent(members, "  "), "}"];
  }
}

function iterable(type: string): string {
  return `AsyncIterable<${type}> | Iterable<${type}>`;
}

function base64Lines(bytes: Uint8Array): string[] {
  const lines = Buffer.from(bytes)
    .toString("base64")
    .match(/.{1,112}/g) ?? [""];
  return lines.map((line, index) => `  "${line}"${index === lines.length - 1 ? ";" : " +"}`);
}
