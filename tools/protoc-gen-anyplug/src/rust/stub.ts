import { snakeCase } from "../casing.js";
import { nameMethods } from "../method-names.js";
import { indent, type Source } from "../output.js";
import type { Method, MethodKind, Service } from "../service.js";
import { docComment } from "./comment.js";
import { methodName } from "./identifiers.js";
import type { RustNames } from "./names.js";

const variants: Record<MethodKind, string> = {
  unary: "Unary",
  server_stream: "ServerStream",
  client_stream: "ClientStream",
  bidi_stream: "BidiStream",
};

/** The constant with the descriptors of a file. */
export function descriptorConstant(path: string): string {
  return snakeCase(path).toUpperCase();
}

/**
 * The stubs of a service. Everything is named by its whole path: a schema may have a message called `Option`, and a
 * service may be called `ResultService`.
 */
export function rustStub(service: Service, source: Source, types: RustNames): string[] {
  const place = { package: source.package, inStubs: true };
  const names = nameMethods(service, snakeCase, methodName);
  const methods = service.methods.map((method, index) => ({
    ...method,
    index,
    local: names[index] ?? "",
    request: types.path(method.input, place),
    response: types.path(method.output, place),
  }));
  return [...marker(service, source, methods), "", ...client(service, methods), "", ...handler(service, methods)];
}

interface RustMethod extends Method {
  readonly index: number;
  readonly local: string;
  readonly request: string;
  readonly response: string;
}

function marker(service: Service, source: Source, methods: readonly RustMethod[]): string[] {
  const { stub } = service;
  const descriptor = snakeCase(stub).toUpperCase();
  return [
    ...documentation(service.comment, service.deprecated, `The service \`${service.name}\`.`),
    "#[derive(Clone, Copy, Debug)]",
    `pub struct ${stub};`,
    "",
    `static ${descriptor}: codegen::ServiceDescriptor = codegen::ServiceDescriptor {`,
    `    name: "${service.name}",`,
    `    fingerprint: "${service.fingerprint}",`,
    "    methods: &[",
    ...indent(methods.flatMap(methodDescriptor), "        "),
    "    ],",
    `    descriptor_set: ${descriptorConstant(source.path)},`,
    "};",
    "",
    `impl codegen::Service for ${stub} {`,
    `    const DESCRIPTOR: &'static codegen::ServiceDescriptor = &${descriptor};`,
    "",
    `    type Client = ${stub}Client;`,
    "",
    `    fn client(client: codegen::Client) -> ${stub}Client {`,
    `        ${stub}Client { client }`,
    "    }",
    "}",
    "",
    `impl ${stub} {`,
    "    /// The service as this value handles it, to be given to a plugin or a host.",
    `    pub fn implement<H: ${stub}Handler>(handler: H) -> codegen::Implementation {`,
    `        codegen::ImplementationBuilder::new(&${descriptor}, ::std::sync::Arc::new(handler))`,
    ...methods.flatMap((method) => [
      `            .${method.kind}(|handler: ::std::sync::Arc<H>, ${closureArguments(method)}| async move {`,
      `                ${stub}Handler::${method.local}(&*handler, ${closureNames(method)}).await`,
      "            })",
    ]),
    "            .build()",
    "    }",
    "}",
  ];
}

function methodDescriptor(method: RustMethod): string[] {
  return [
    "codegen::MethodDescriptor {",
    `    name: "${method.name}",`,
    `    kind: codegen::MethodKind::${variants[method.kind]},`,
    `    idempotent: ${method.idempotent},`,
    `    default_timeout_ms: ${method.defaultTimeoutMs},`,
    `    required_capability: ${stringLiteral(method.requiredCapability)},`,
    "},",
  ];
}

function client(service: Service, methods: readonly RustMethod[]): string[] {
  const name = `${service.stub}Client`;
  return [
    ...documentation(service.comment, service.deprecated, `Calls \`${service.name}\`.`),
    "#[derive(Clone)]",
    `pub struct ${name} {`,
    "    client: codegen::Client,",
    "}",
    "",
    `impl ${name} {`,
    "    /// A client whose calls go to this plugin, connection or caller.",
    "    pub fn new(caller: &(impl codegen::Caller + ?::core::marker::Sized)) -> Self {",
    `        Self { client: caller.client_of(<${service.stub} as codegen::Service>::DESCRIPTOR) }`,
    "    }",
    ...methods.flatMap((method) => ["", ...indent(clientMethod(method), "    ")]),
    "}",
  ];
}

function clientMethod(method: RustMethod): string[] {
  const streams = method.kind === "client_stream" || method.kind === "bidi_stream";
  const [name, type] = streams
    ? ["requests", `impl codegen::Stream<Item = ${method.request}> + ::core::marker::Send + 'static`]
    : ["request", method.request];
  return [
    ...documentation(method.comment, method.deprecated, `Calls \`${method.name}\`.`),
    `pub fn ${method.local}(`,
    "    &self,",
    `    ${name}: ${type},`,
    `) -> codegen::${variants[method.kind]}Call<${method.request}, ${method.response}> {`,
    `    self.client.${method.kind}(${method.index}, ${name})`,
    "}",
  ];
}

function handler(service: Service, methods: readonly RustMethod[]): string[] {
  return [
    ...documentation(service.comment, service.deprecated, `Handles \`${service.name}\`.`),
    `pub trait ${service.stub}Handler: ::core::marker::Send + ::core::marker::Sync + 'static {`,
    ...methods.flatMap((method) => ["", ...indent(handlerMethod(method), "    ")]).slice(1),
    "}",
  ];
}

function handlerMethod(method: RustMethod): string[] {
  const result = returnsStream(method) ? "()" : method.response;
  return [
    ...documentation(method.comment, false, `Answers \`${method.name}\`.`),
    `fn ${method.local}(`,
    "    &self,",
    ...handlerArguments(method).map(([name, type]) => `    ${name}: ${type},`),
    `) -> impl ::core::future::Future<Output = ::core::result::Result<${result}, codegen::Error>> + ::core::marker::Send;`,
  ];
}

function handlerArguments(method: RustMethod): [name: string, type: string][] {
  const streams = method.kind === "client_stream" || method.kind === "bidi_stream";
  const all: [string, string][] = [
    streams ? ["requests", `codegen::Streaming<${method.request}>`] : ["request", method.request],
  ];
  if (returnsStream(method)) all.push(["responses", `codegen::Sender<${method.response}>`]);
  all.push(["context", "codegen::Context"]);
  return all;
}

function closureArguments(method: RustMethod): string {
  return handlerArguments(method)
    .map(([name, type]) => `${name}: ${type}`)
    .join(", ");
}

function closureNames(method: RustMethod): string {
  return handlerArguments(method)
    .map(([name]) => name)
    .join(", ");
}

function returnsStream(method: RustMethod): boolean {
  return method.kind === "server_stream" || method.kind === "bidi_stream";
}

function documentation(comment: readonly string[], deprecated: boolean, otherwise: string): string[] {
  return [...docComment(comment.length > 0 ? comment : [otherwise]), ...(deprecated ? ["#[deprecated]"] : [])];
}

function stringLiteral(text: string): string {
  return `"${[...text].map(escapeCharacter).join("")}"`;
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return /[\p{L}\p{N}\p{P}\p{S} ]/u.test(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
