import type { DescEnum, DescEnumValue } from "@bufbuild/protobuf";
import { indent } from "../output.js";
import { commentOf } from "../source.js";
import { docComment } from "./comment.js";
import type { RustNames } from "./names.js";

/** An enum: its values, and what is between them and their numbers and names. */
export function rustEnum(type: DescEnum, names: RustNames): string[] {
  const name = names.type(type);
  const byNumber = new Map<number, DescEnumValue>();
  for (const value of type.values) if (!byNumber.has(value.number)) byNumber.set(value.number, value);
  const variants = [...byNumber.values()];
  const aliases = type.values.filter((value) => byNumber.get(value.number) !== value);
  return [
    ...documented(type),
    "#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]",
    "#[repr(i32)]",
    `pub enum ${name} {`,
    ...indent(
      variants.flatMap((value, index) => [
        ...documented(value),
        ...(index === 0 ? ["#[default]"] : []),
        `${names.value(value)} = ${value.number},`,
      ]),
      "    ",
    ),
    "}",
    ...(aliases.length === 0
      ? []
      : [
          "",
          `impl ${name} {`,
          ...indent(
            aliases.flatMap((value) => {
              const same = byNumber.get(value.number) ?? value;
              return [...documented(value), `pub const ${names.value(value)}: Self = Self::${names.value(same)};`];
            }),
            "    ",
          ),
          "}",
        ]),
    "",
    "__codec::enumeration! {",
    `    ${name} {`,
    ...variants.map((value) => `        ${names.value(value)} = ${value.number} => "${value.name}",`),
    "    }",
    ...(aliases.length === 0
      ? []
      : ["    also {", ...aliases.map((value) => `        ${names.value(value)} => "${value.name}",`), "    }"]),
    "}",
  ];
}

function documented(desc: DescEnum | DescEnumValue): string[] {
  return [...docComment(commentOf(desc)), ...(desc.deprecated ? ["#[deprecated]"] : [])];
}
