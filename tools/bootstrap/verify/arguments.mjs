import { parseArgs } from "node:util";

export const USAGE = `npm test                    set up, then every lint and every test; what is unchanged comes from nx's cache
npm test -- [--fresh] [STEP …]
  --fresh   run everything again, whatever the cache has
  STEP      only these, for example lint-biome or test-rust; --list names them all`;

/**
 * @param {string[]} args the command line, without program and script
 * @param {string[]} known the names of the steps there are
 * @returns {{ help: boolean, list: boolean, fresh: boolean, steps: string[] }} `steps` has all if none was named
 * @throws {Error} with a message for the person who typed it
 */
export function readArguments(args, known) {
  const options = {
    help: { type: "boolean", short: "h", default: false },
    list: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const unknown = positionals.find((step) => !known.includes(step));
  if (unknown !== undefined) throw new Error(`There is no step "${unknown}". There are: ${known.join(", ")}`);
  return { ...values, steps: positionals.length > 0 ? positionals : known };
}
