/** A JSDoc comment; nothing when there is nothing to say. */
export function docComment(lines: readonly string[], deprecated: boolean): string[] {
  const text = lines.map((line) => line.replaceAll("*/", "*\\/"));
  if (deprecated) text.push(...(text.length > 0 ? [""] : []), "@deprecated");
  const [first = ""] = text;
  if (text.length === 0) return [];
  if (text.length === 1) return [`/** ${first} */`];
  return ["/**", ...text.map((line) => ` * ${line}`.trimEnd()), " */"];
}
