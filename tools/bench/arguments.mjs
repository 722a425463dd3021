import { parseArgs } from "node:util";

export const SECTIONS = [
  "codecs",
  "calls",
  "sockets",
  "direct",
  "modules",
  "instances",
  "native",
  "agents",
  "idle",
  "codegen",
];

/** What takes seconds a round, and is measured by the quick run only when it is named. */
const SLOW = ["instances", "codegen"];
export const LANGUAGES = ["typescript", "python", "rust"];

export const USAGE = `npm run bench                  set up, measure everything, print tables
npm run bench -- --quick       the same with fewer and shorter rounds and without ${SLOW.join(" and ")}, in under two minutes
  --only LIST                  some of ${SECTIONS.join(", ")}
  --language LIST              hosts and codecs of some of ${LANGUAGES.join(", ")}
  --json FILE                  where the figures go (default .cache/bench/results.json)
  --markdown FILE              where the tables go (default .cache/bench/results.md)

  What it is doing goes to standard error, tables go to standard output. Aims that are missed are shown, no more:
  status 1 means that something could not be measured, 2 that the command line is wrong.`;

/** A command line that cannot be understood. */
export class UsageError extends Error {
  constructor(message) {
    super(message);
    this.name = "UsageError";
  }
}

/**
 * @param {string[]} args the command line, without program and script
 * @returns {{ help: boolean, quick: boolean, only: string[], languages: string[], json?: string, markdown?: string }}
 * @throws {UsageError} naming the flag or value that is wrong and what is possible
 */
export function readArguments(args) {
  const { help = false, quick = false, only, language, json, markdown } = parse(args);
  return {
    help,
    quick,
    only: some("--only", only, SECTIONS).filter((one) => only !== undefined || !quick || !SLOW.includes(one)),
    languages: some("--language", language, LANGUAGES),
    json,
    markdown,
  };
}

function parse(args) {
  const options = {
    help: { type: "boolean", short: "h" },
    quick: { type: "boolean" },
    only: { type: "string" },
    language: { type: "string" },
    json: { type: "string" },
    markdown: { type: "string" },
  };
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** Reads a list with commas; none stands for everything. */
function some(flag, text, possible) {
  if (text === undefined) return possible;
  const chosen = text.split(",");
  const wrong = chosen.find((one) => !possible.includes(one));
  if (wrong === undefined) return possible.filter((one) => chosen.includes(one));
  throw new UsageError(`${flag} takes ${possible.join(", ")}, with commas between; it cannot be "${wrong}"`);
}
