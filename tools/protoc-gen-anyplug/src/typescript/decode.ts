import { indent } from "../output.js";
import type { MessageModule } from "./module.js";

/** The lines of a method that reads fields until `end`: those that no case takes are kept as they are. */
export function decodeMethod(
  signature: string,
  module: MessageModule,
  start: readonly string[],
  cases: readonly string[],
): string[] {
  return [
    `${signature} {`,
    `  const depth = ${module.helper("enter")}(reader);`,
    "  try {",
    ...indent(start, "    "),
    "    while (reader.pos < end) {",
    `      const tag = ${module.helper("readTag")}(reader);`,
    "      switch (tag) {",
    ...indent(cases, "        "),
    "        default:",
    `          (message._unknownFields ??= []).push(${module.helper("skipField")}(reader, tag, depth));`,
    "      }",
    "    }",
    `    ${module.helper("expectEnd")}(reader, end);`,
    "    return message;",
    "  } finally {",
    "    reader.depth = depth;",
    "  }",
    "},",
  ];
}
