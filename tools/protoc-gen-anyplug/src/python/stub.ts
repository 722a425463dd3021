import { byteText } from "../byte-text.js";
import { snakeCase } from "../casing.js";
import { Imports } from "../imports.js";
import { nameMethods } from "../method-names.js";
import type { Options } from "../options.js";
import { generatedFrom, indent, type Output, type Source } from "../output.js";
import type { Service } from "../service.js";
import { clientClass } from "./client.js";
import { docstring } from "./comment.js";
import { handlerClass } from "./handler.js";
import type { PythonMethod } from "./method.js";
import { methodName, type PythonNames, packageFolder } from "./names.js";
import { StubTypes } from "./types.js";

/** Writes `x_anyplug.py` into the folder of the package, beside the `__init__.py` with its messages. */
export function pythonStub(source: Source, names: PythonNames, options: Options): Output {
  const named = source.services.map((service) => [service, nameMethods(service, snakeCase, methodName)] as const);
  const own = source.services.flatMap(({ stub }) => [stub, `${stub}Client`, `${stub}SyncClient`, `${stub}Handler`]);
  // In the body of a class its methods hide what the module calls by the same names.
  const methodNames = named.flatMap(([, local]) => local);
  const imports = new Imports([...own, ...methodNames, "_v1"]);
  const types = new StubTypes(names, source.package, imports, new Set(methodNames));
  const services = named.map(([service, local]) => ({ service, methods: methodsOf(service, local, types) }));
  const body = services.flatMap(({ service, methods }) => [
    ...methods.flatMap((method) => ["", ...methodDescriptor(service, method)]),
    ...["", "", ...clientClass(service, methods, types, "async")],
    ...["", "", ...clientClass(service, methods, types, "sync")],
    ...["", "", ...handlerClass(service, methods, types)],
    ...["", "", ...serviceDescriptor(service, methods)],
  ]);
  const lines = [
    `# ${generatedFrom(source.path)}`,
    "from __future__ import annotations",
    "",
    `import ${options.core} as _v1`,
    ...importLines(imports),
    "",
    `__all__ = (${own.map((name) => `"${name}",`).join(" ")})`,
    "",
    "_DESCRIPTOR_SET = (",
    ...byteText(source.descriptorSet, 104).map((line) => `    b"${line}"`),
    ")",
    ...body,
  ];
  return { path: outputPath(source), content: `${lines.join("\n")}\n` };
}

function outputPath(source: Source): string {
  const name = source.path
    .replace(/^.*\//, "")
    .replace(/\.proto$/, "")
    .replace(/\W/g, "_");
  return `${packageFolder(source.package)}${name}_anyplug.py`;
}

function methodsOf(service: Service, names: readonly string[], types: StubTypes): PythonMethod[] {
  const constants = service.methods.map((method) => `_${snakeCase(`${service.stub}_${method.name}`).toUpperCase()}`);
  return service.methods.map((method, index) => {
    const constant = constants[index] ?? "";
    return {
      ...method,
      local: names[index] ?? "",
      constant: constants.indexOf(constant) === index ? constant : `${constant}_${index}`,
      request: types.named(method.input),
      response: types.named(method.output),
    };
  });
}

function methodDescriptor(service: Service, method: PythonMethod): string[] {
  const members = [
    `service="${service.name}"`,
    `name="${method.name}"`,
    `local_name="${method.local}"`,
    `kind=_v1.MethodKind.${method.kind.toUpperCase()}`,
    `input=${method.request}`,
    `output=${method.response}`,
    ...(method.idempotent ? ["idempotent=True"] : []),
    ...(method.defaultTimeoutMs > 0 ? [`default_timeout_ms=${method.defaultTimeoutMs}`] : []),
    ...(method.requiredCapability === "" ? [] : [`required_capability=${JSON.stringify(method.requiredCapability)}`]),
  ];
  return [
    `${method.constant}: _v1.MethodDescriptor[${method.request}, ${method.response}] = _v1.MethodDescriptor(`,
    ...members.map((member) => `    ${member},`),
    ")",
  ];
}

function serviceDescriptor(service: Service, methods: readonly PythonMethod[]): string[] {
  const { stub } = service;
  return [
    `${stub}: _v1.ServiceDescriptor[${stub}Client, ${stub}SyncClient, ${stub}Handler] = _v1.ServiceDescriptor(`,
    `    name="${service.name}",`,
    `    fingerprint="${service.fingerprint}",`,
    `    methods=(${methods.map((method) => `${method.constant},`).join(" ")}),`,
    "    descriptor_set=_DESCRIPTOR_SET,",
    `    client=${stub}Client,`,
    `    sync_client=${stub}SyncClient,`,
    `    handler=${stub}Handler,`,
    ")",
    ...docstring(service.comment, service.deprecated),
  ];
}

function importLines(imports: Imports): string[] {
  return imports.sorted().map(([module, symbols]) => {
    const names = symbols.map(([symbol, local]) => (symbol === local ? symbol : `${symbol} as ${local}`));
    const line = `from ${module} import ${names.join(", ")}`;
    return line.length <= 120 ? line : `from ${module} import (\n${indent(names, "    ").join(",\n")},\n)`;
  });
}
