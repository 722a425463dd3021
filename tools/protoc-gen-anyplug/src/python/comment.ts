/** A docstring; nothing when there is nothing to say. */
export function docstring(lines: readonly string[], deprecated: boolean): string[] {
  const text = lines.map((line) => line.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"'));
  if (deprecated) text.push(...(text.length > 0 ? [""] : []), "Deprecated.");
  const [first] = text;
  if (first === undefined) return [];
  if (text.length === 1) return [`"""${first.startsWith('"') ? "\\" : ""}${first.replace(/"$/, '\\"')}"""`];
  return [`"""${first.startsWith('"') ? "\\" : ""}${first}`, ...text.slice(1), '"""'];
}

/** What makes a class or function warn when it is called, and type checkers tell of it. */
export function deprecation(name: string): string[] {
  return [`@_v1.deprecated("${name} is deprecated")`];
}
