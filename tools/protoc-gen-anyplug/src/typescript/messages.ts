/** The messages of a schema in TypeScript: an interface for each, and a constant of the same name that is its codec. */
import type { DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";
import type { Options } from "../options.js";
import { generatedFrom, indent, type Output } from "../output.js";
import { list, type Problems } from "../refusal.js";
import { commentOf, fileName, placeOf } from "../source.js";
import { docComment } from "./comment.js";
import { decodeMethod } from "./decode.js";
import { type Member, membersOf } from "./fields.js";
import { formsOf } from "./forms.js";
import { MessageModule } from "./module.js";
import { typeName } from "./names.js";

/** Writes `x.ts` for a file. */
export function typescriptMessages(file: DescFile, options: Options, problems: Problems): Output {
  const module = new MessageModule(file, options);
  const messages = file.messages.flatMap(withNested);
  const written = messages.map((message) => ({ message, members: membersOf(message, module) }));
  const enums = [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)];
  checkDistinct([...messages, ...enums], problems);
  const body = [
    ...enums.flatMap((type) => ["", ...enumLines(type)]),
    ...written.flatMap(({ message, members }) => ["", ...interfaceLines(message, members, module)]),
    ...written.flatMap(({ message, members }) => ["", ...codecLines(message, members, module)]),
  ];
  const helpers = module.helpers();
  const lines = [
    `// ${generatedFrom(fileName(file))}`,
    "/* eslint-disable */",
    "",
    ...module.imports(),
    ...body,
    ...helpers,
    // A file without messages, of options alone, is a module all the same.
    ...(body.length === 0 ? ["export {};"] : []),
  ];
  return { path: fileName(file).replace(/\.proto$/, ".ts"), content: `${lines.join("\n")}\n` };
}

function withNested(message: DescMessage): DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}

function checkDistinct(types: readonly (DescMessage | DescEnum)[], problems: Problems): void {
  const byName = new Map<string, (DescMessage | DescEnum)[]>();
  for (const type of types) {
    const name = typeName(type);
    byName.set(name, [...(byName.get(name) ?? []), type]);
  }
  for (const [name, [first, ...others]] of byName) {
    if (first === undefined || others.length === 0) continue;
    const names = list(others.map((type) => type.typeName));
    problems.add(
      `${placeOf(first)}: ${first.typeName} and ${names} would both be ${name} in TypeScript: rename one of them`,
    );
  }
}

function enumLines(type: DescEnum): string[] {
  const values = type.values.flatMap((value) => [
    ...docComment(commentOf(value), value.deprecated),
    `${value.name} = ${value.number},`,
  ]);
  return [
    ...docComment(commentOf(type), type.deprecated),
    `export enum ${typeName(type)} {`,
    ...indent(values, "  "),
    "}",
  ];
}

function interfaceLines(message: DescMessage, members: readonly Member[], module: MessageModule): string[] {
  const declarations = members.flatMap((member, index) => {
    const desc = message.members[index];
    const comment = desc === undefined || desc.kind === "oneof" ? [] : docComment(commentOf(desc), desc.deprecated);
    return [...comment, ...member.declaration()];
  });
  return [
    ...docComment(commentOf(message), message.deprecated),
    `export interface ${typeName(message)} {`,
    ...indent(declarations, "  "),
    "  /** Fields that the schema does not have, each with its tag, in the order in which they came. */",
    `  _unknownFields?: ${module.global("Uint8Array")}[] | undefined;`,
    "}",
  ];
}

function codecLines(message: DescMessage, members: readonly Member[], module: MessageModule): string[] {
  const name = typeName(message);
  const empty = module.local(`createBase${name}`);
  const reader = module.wire("BinaryReader");
  const writer = module.wire("BinaryWriter");
  const forms = formsOf(message.typeName, module);
  const fns = `${module.helper("MessageFns")}<${name}, "${message.typeName}">`;
  const type = forms === undefined ? fns : `${fns} & { ${forms.signatures.join(" ")} }`;
  const partial = `${module.helper("DeepPartial")}<${name}>`;
  const decode = decodeMethod(
    `decode(input: ${reader} | ${module.global("Uint8Array")}, length?: number, into?: ${name}): ${name}`,
    module,
    ["const end = length === undefined ? reader.len : reader.pos + length;", `const message = into ?? ${empty}();`],
    members.flatMap((member) => member.decode()),
  );
  const [signature = "", ...rest] = decode;
  const body = [
    `$type: "${message.typeName}",`,
    "",
    `encode(message: ${name}, writer: ${writer} = new ${writer}()): ${writer} {`,
    ...indent(
      members.flatMap((member) => member.encode()),
      "  ",
    ),
    "  if (message._unknownFields !== undefined) {",
    "    for (const field of message._unknownFields) writer.raw(field);",
    "  }",
    "  return writer;",
    "},",
    "",
    signature,
    `  const reader = ${module.helper("readerOf")}(input);`,
    ...rest,
    "",
    `create(base?: ${partial}): ${name} {`,
    `  return ${name}.fromPartial(base ?? {});`,
    "},",
    "",
    `fromPartial(object: ${partial}): ${name} {`,
    `  const message = ${empty}();`,
    "  if (object._unknownFields !== undefined) message._unknownFields = [...object._unknownFields];",
    ...indent(
      members.flatMap((member) => member.fromPartial()),
      "  ",
    ),
    "  return message;",
    "},",
    ...(forms?.functions ?? []),
  ];
  const zeros = [...members.map((member) => `${member.name}: ${member.zero()},`), "_unknownFields: undefined,"];
  return [
    `function ${empty}(): ${name} {`,
    "  return {",
    ...indent(zeros, "    "),
    "  };",
    "}",
    "",
    ...docComment([], message.deprecated),
    `export const ${name}: ${type} = {`,
    ...indent(body, "  "),
    "};",
    ...members.flatMap((member) => member.codec?.() ?? []),
  ];
}
