import type { DescEnum } from "@bufbuild/protobuf";
import { indent } from "../output.js";
import { commentOf } from "../source.js";
import { docstring } from "./comment.js";
import type { PythonNames } from "./names.js";

/** An enum of betterproto2. It is open: a number that the schema does not name is a member without a name. */
export function enumClass(type: DescEnum, names: PythonNames): string[] {
  const values = type.values.map((value) => ({ value, name: names.value(value) }));
  const documentation = docstring(commentOf(type), type.deprecated);
  const renamed = values.filter(({ value, name }) => name !== value.name);
  const members = values.flatMap(({ value, name }) => {
    const text = docstring(commentOf(value), value.deprecated);
    return [`${name} = ${value.number}`, ...text, ...(text.length > 0 ? [""] : [])];
  });
  const body = [
    ...documentation,
    ...(documentation.length > 0 ? [""] : []),
    ...members,
    ...(renamed.length === 0
      ? []
      : [
          ...(members.at(-1) === "" ? [] : [""]),
          "@classmethod",
          "def betterproto_renamed_proto_names_to_value(cls) -> dict[str, int]:",
          "    return {",
          ...renamed.map(({ value }) => `        "${value.name}": ${value.number},`),
          "    }",
        ]),
  ];
  return [`class ${names.class(type)}(_v1.Enum):`, ...indent(body.at(-1) === "" ? body.slice(0, -1) : body, "    ")];
}
