import { indent } from "../output.js";
import type { Service } from "../service.js";
import { deprecation, docstring } from "./comment.js";
import type { PythonMethod } from "./method.js";
import { isOptional, type StubTypes } from "./types.js";

type Side = "async" | "sync";

/** A client: the one of asyncio, or its synchronous twin. */
export function clientClass(
  service: Service,
  methods: readonly PythonMethod[],
  types: StubTypes,
  side: Side,
): string[] {
  const prefix = side === "sync" ? "Sync" : "";
  const documentation = docstring(service.comment, service.deprecated);
  const body = [
    ...documentation,
    ...(documentation.length > 0 ? [""] : []),
    "__slots__ = ()",
    "",
    `def __init__(self, caller: _v1.${prefix}Caller, /) -> None:`,
    `    super().__init__(caller, ${service.stub})`,
    ...methods.flatMap((method) => ["", ...clientMethod(method, types, side)]),
  ];
  return [
    ...(service.deprecated ? deprecation(`${service.stub}${prefix}Client`) : []),
    `class ${service.stub}${prefix}Client(_v1.${prefix}Client):`,
    ...indent(body, "    "),
  ];
}

function clientMethod(method: PythonMethod, types: StubTypes, side: Side): string[] {
  const streams = method.kind === "client_stream" || method.kind === "bidi_stream";
  return streams ? streamingMethod(method, types, side) : requestMethod(method, types, side);
}

/** A method that takes a stream of requests. */
function streamingMethod(method: PythonMethod, types: StubTypes, side: Side): string[] {
  const iterables = side === "async" ? ["AsyncIterable", "Iterable"] : ["Iterable"];
  const requests = iterables.map((name) => `${types.imports.use("collections.abc", name)}[${method.request}]`);
  return [
    ...deprecationOf(method),
    `${definition(method, side)}(`,
    `    self, requests: ${requests.join(" | ")}, /, *, options: _v1.CallOptions | None = None`,
    `) -> ${result(method, side)}:`,
    ...indent(docstring(method.comment, method.deprecated), "    "),
    `    return ${call(method, "requests", "options", side)}`,
  ];
}

/** A method that takes one request: the message, or its fields by their names. */
function requestMethod(method: PythonMethod, types: StubTypes, side: Side): string[] {
  const fields = method.input.fields.map((field) => ({ field, name: types.names.attribute(field) }));
  const options = freeName(
    "options",
    fields.map(({ name }) => name),
  );
  const optionsArgument = `${options}: _v1.CallOptions | None = None`;
  const documentation = indent(docstring(method.comment, method.deprecated), "    ");
  if (fields.length === 0) {
    return [
      ...deprecationOf(method),
      `${definition(method, side)}(`,
      `    self, request: ${method.request} | None = None, /, *, ${optionsArgument}`,
      `) -> ${result(method, side)}:`,
      ...documentation,
      "    if request is None:",
      `        request = ${method.request}()`,
      `    return ${call(method, "request", options, side)}`,
    ];
  }
  const self = freeName(
    "self",
    fields.map(({ name }) => name),
  );
  const overload = `@${types.imports.use("typing", "overload")}`;
  return [
    overload,
    `${definition(method, side)}(`,
    `    self, request: ${method.request}, /, *, ${optionsArgument}`,
    `) -> ${result(method, side)}: ...`,
    overload,
    `${definition(method, side)}(`,
    `    ${self},`,
    "    /,",
    "    *,",
    ...fields.map(({ field, name }) => `    ${name}: ${types.field(field)} = ${isOptional(field) ? "None" : "..."},`),
    `    ${optionsArgument},`,
    `) -> ${result(method, side)}: ...`,
    ...deprecationOf(method),
    `${definition(method, side)}(`,
    `    self, request: ${method.request} | None = None, /, *, ${optionsArgument}, **fields: ${types.imports.use("typing", "Any")}`,
    `) -> ${result(method, side)}:`,
    ...documentation,
    "    if request is None:",
    `        request = ${method.request}(**fields)`,
    "    elif fields:",
    `        raise TypeError("${method.local}() takes a request or its fields, not both")`,
    `    return ${call(method, "request", options, side)}`,
  ];
}

function deprecationOf(method: PythonMethod): string[] {
  return method.deprecated ? deprecation(method.local) : [];
}

function definition(method: PythonMethod, side: Side): string {
  const awaits = method.kind === "unary" || method.kind === "client_stream";
  return `${side === "async" && awaits ? "async " : ""}def ${method.local}`;
}

function result(method: PythonMethod, side: Side): string {
  if (method.kind === "unary" || method.kind === "client_stream") return method.response;
  return `_v1.${side === "sync" ? "Sync" : ""}ResponseStream[${method.response}]`;
}

function call(method: PythonMethod, requests: string, options: string, side: Side): string {
  const wait = side === "async" ? "await " : "";
  switch (method.kind) {
    case "unary":
      return `${wait}self._transport.unary(${method.constant}, ${requests}, ${options})`;
    case "client_stream":
      return `${wait}self._one(${method.constant}, ${requests}, ${options})`;
    case "server_stream":
      return `self._transport.stream(${method.constant}, (${requests},), ${options})`;
    case "bidi_stream":
      return `self._transport.stream(${method.constant}, ${requests}, ${options})`;
  }
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}
