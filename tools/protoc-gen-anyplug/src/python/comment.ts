/** A docstring; nothing when there is nothing to say. */
export function docstring(lines: readonly string[], deprecated: boolean): string[] {
  const text = lines.map((line) => line.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"'));
  if (deprecated) text.push(...(text.length > 0 ? [""] : []), "Deprecated.");
  const [first] = text;
  if (first === undefined) return [];
  if (text.length === 1) return [`"""${first.startsWith('"') ? "\\" : ""}${first.replace(/"$/, '\\"')}"""`];
  return [`"""${first.startsWith('"') ? "\\" : ""}${first}`, ...text.slice(1), '"""'];
}
