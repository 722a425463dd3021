/**
 * Mends what ts-proto writes where it loses what the schema can say:
 *
 * - A map entry without a value has the default value. ts-proto drops it where values are messages, and prost sends just that for an
 *   empty message.
 * - -0.0 is not the default of a double or float, which is 0.0. ts-proto does not send it.
 *
 * @param {string} source a file of ts-proto's
 * @returns {string} the file, mended
 */
export function mend(source) {
  const values = new Map();
  for (const [, entry, body] of source.matchAll(/^export const (\w+Entry)\b(.*?)^};$/gms)) {
    const value = /^\s+message\.value = (\w+)\.decode\(/m.exec(body);
    if (value !== null) values.set(entry, value[1]);
  }
  return source
    .replace(
      /(const (entry\d+) = (\w+)\.decode\(reader, reader\.uint32\(\)\);\n)(\s+)if \(\2\.value !== undefined\) \{\n\s+(.*)\.set\(\2\.key, \2\.value\);\n\s+\}/g,
      (whole, decode, entry, type, indent, map) =>
        values.has(type)
          ? `${decode}${indent}${map}.set(${entry}.key, ${entry}.value ?? ${values.get(type)}.fromPartial({}));`
          : whole,
    )
    .replace(
      /if \((message\.\w+) !== 0\) (\{\n\s+writer\.uint32\(\d+\)\.(?:double|float)\()/g,
      "if (!Object.is($1, 0)) $2",
    );
}
