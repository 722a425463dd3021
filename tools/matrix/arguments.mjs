import { parseArgs } from "node:util";

/** A command line that cannot be understood. */
export class UsageError extends Error {
  constructor(message) {
    super(message);
    this.name = "UsageError";
  }
}

/** What `--help` prints. */
export const usage = ({
  languages,
  transports,
}) => `npm run matrix              set up, try every behaviour in every cell, print the tables
  --host LIST               some of ${languages.join(", ")}
  --plugin LIST             the same
  --transport LIST          some of ${transports.map(({ name }) => name).join(", ")}
  --json                    print every result as one JSON array
  --no-build                as it was built last

  A LIST is separated by commas. What it is doing goes to standard error, results go to standard output. Status: 0 if all
  that was asked for was tried and passed, 1 if not, 2 if the command line is wrong.`;

/**
 * @param {string[]} args the command line, without program and script
 * @param {{ languages: string[], transports: { name: string }[] }} lists what there is
 * @returns {{ help: boolean, json: boolean, build: boolean, hosts: string[], plugins: string[], transports: string[] }}
 * @throws {UsageError} naming the flag or value that is wrong and what is possible
 */
export function readArguments(args, lists) {
  const values = parse(args);
  const names = lists.transports.map(({ name }) => name);
  return {
    help: values.help,
    json: values.json,
    build: !values["no-build"],
    hosts: some("--host", values.host, lists.languages),
    plugins: some("--plugin", values.plugin, lists.languages),
    transports: some("--transport", values.transport, names),
  };
}

function parse(args) {
  const flag = { type: "boolean", default: false };
  const list = { type: "string" };
  const options = {
    help: { ...flag, short: "h" },
    json: flag,
    "no-build": flag,
    host: list,
    plugin: list,
    transport: list,
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function some(name, list, known) {
  const named = list?.split(",").map((word) => word.trim()) ?? known;
  const unknown = named.find((word) => !known.includes(word));
  if (unknown === undefined) return known.filter((word) => named.includes(word));
  throw new UsageError(`${name}: expected some of ${known.join(", ")}, got "${unknown}"`);
}
