const keywords = new Set(
  (
    "abstract as async await become box break const continue do dyn else enum false final fn for gen if impl in let loop " +
    "macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use " +
    "virtual where while yield"
  ).split(" "),
);
const notRaw = new Set(["_", "super", "self", "Self", "extern", "crate"]);

/** A name that Rust allows: keywords are raw, and what cannot be raw gets an underscore. */
export function identifier(name: string): string {
  if (keywords.has(name)) return `r#${name}`;
  if (notRaw.has(name)) return `${name}_`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** A method of a client or handler; a client has `new` and `clone` of its own. */
export function methodName(name: string): string {
  return name === "new" || name === "clone" ? `${name}_` : identifier(name);
}

/** What has a name in a schema. */
interface Named {
  readonly name: string;
}

/**
 * Names what lies in one scope: each by the case of Rust; where several would have one name, each by its name in the
 * schema; where that is taken too, with underscores.
 *
 * @param taken what has a name there already; the new names are added
 */
export function distinctNames<T extends Named>(
  items: readonly T[],
  adapt: (item: T) => string,
  taken: Set<string> = new Set(),
): Map<T, string> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(adapt(item), (counts.get(adapt(item)) ?? 0) + 1);
  const isUnique = (item: T) => adapt(item) !== "" && counts.get(adapt(item)) === 1;
  const names = new Map<T, string>();
  for (const item of [...items.filter(isUnique), ...items.filter((item) => !isUnique(item))]) {
    let name = identifier(isUnique(item) ? adapt(item) : item.name);
    while (taken.has(name) || primitives.has(name)) name = `${name.replace(/^r#/, "")}_`;
    taken.add(name);
    names.set(item, name);
  }
  return names;
}

/** What generated code calls by these names. */
const primitives = new Set(
  "__codec __services bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize".split(" "),
);
