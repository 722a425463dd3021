import { parseArgs } from "node:util";
import { LANGUAGES, TRANSPORTS } from "./languages.mjs";

export const USAGE = `npm start                                  set up, run the cells, load every plugin in every language, talk to ELIZA
npm start -- --json                        the same, but print the cells as one JSON array
npm start -- --host H --plugin P           set up, talk: a line is a question, an empty line a new session
                 [--transport T]

  H and P are ${LANGUAGES.join(", ")}; T is ${TRANSPORTS.join(" or ")} (default: what the plugin's manifest says).
  What it is doing goes to standard error, results go to standard output. Status: 0 if all is well,
  1 if something failed, 2 if the command line is wrong.`;

/** A command line that cannot be understood. */
export class UsageError extends Error {
  constructor(message) {
    super(message);
    this.name = "UsageError";
  }
}

/**
 * @param {string[]} args the command line, without program and script
 * @returns {{ help: boolean, json: boolean, host?: string, plugin?: string, transport?: string }}
 * @throws {UsageError} naming the flag or value that is wrong and what is possible
 */
export function readArguments(args) {
  const values = parse(args);
  check("--host", values.host, LANGUAGES);
  check("--plugin", values.plugin, LANGUAGES);
  check("--transport", values.transport, TRANSPORTS);
  if ((values.host === undefined) !== (values.plugin === undefined)) {
    throw new UsageError("--host and --plugin belong together: give both, or neither");
  }
  if (values.transport !== undefined && values.host === undefined) {
    throw new UsageError("--transport needs --host and --plugin");
  }
  if (values.transport === "direct" && values.host !== values.plugin) {
    throw new UsageError("--transport direct needs a host and a plugin in the same language");
  }
  if (values.json && values.host !== undefined) {
    throw new UsageError("--json is about all cells: leave out --host and --plugin");
  }
  return { ...values, help: values.help ?? false, json: values.json ?? false };
}

function parse(args) {
  const options = {
    help: { type: "boolean", short: "h" },
    json: { type: "boolean" },
    host: { type: "string" },
    plugin: { type: "string" },
    transport: { type: "string" },
  };
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function check(flag, value, possible) {
  if (value === undefined || possible.includes(value)) return;
  throw new UsageError(`${flag} is ${possible.join(", ")}; it cannot be "${value}"`);
}
