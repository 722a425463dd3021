import { indent } from "../output.js";
import type { Service } from "../service.js";
import { docstring } from "./comment.js";
import type { PythonMethod } from "./method.js";
import type { StubTypes } from "./types.js";

/** The base of a plugin's own class. Its methods may be overridden by plain functions, coroutines and generators. */
export function handlerClass(service: Service, methods: readonly PythonMethod[], types: StubTypes): string[] {
  const documentation = docstring(service.comment, service.deprecated);
  const body = [...documentation, ...methods.flatMap((method) => ["", ...handlerMethod(method, types)])];
  if (documentation.length === 0) body.shift();
  return [`class ${service.stub}Handler(_v1.Handler):`, ...indent(body.length > 0 ? body : ["pass"], "    ")];
}

function handlerMethod(method: PythonMethod, types: StubTypes): string[] {
  const streams = method.kind === "client_stream" || method.kind === "bidi_stream";
  const request = streams ? `requests: _v1.RequestStream[${method.request}]` : `request: ${method.request}`;
  return [
    `def ${method.local}(`,
    `    self, ${request}, context: _v1.Context, /`,
    `) -> ${result(method, types)}:`,
    ...indent(docstring(method.comment, method.deprecated), "    "),
    `    raise _v1.unimplemented(${method.constant})`,
  ];
}

function result(method: PythonMethod, types: StubTypes): string {
  const abc = (name: string) => types.imports.use("collections.abc", name);
  if (method.kind === "unary" || method.kind === "client_stream") {
    return `${method.response} | ${abc("Awaitable")}[${method.response}]`;
  }
  return `${abc("Iterable")}[${method.response}] | ${abc("AsyncIterable")}[${method.response}]`;
}
