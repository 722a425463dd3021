/** What test/matrix wants to be tried, and where. */

import { readFileSync } from "node:fs";
import type { TransportName } from "@anyplug/host";

/** The languages of plugins. */
export const languages = ["typescript", "python", "rust"] as const;
export type Language = (typeof languages)[number];

interface Transport {
  readonly name: TransportName;
  /** Those of this host's language, of any, or of these. */
  readonly plugins: "own" | "all" | readonly Language[];
  readonly has: readonly string[];
}

interface Wanted {
  readonly name: string;
  /** What a transport has to have for it. */
  readonly needs?: string;
  /** Why it does not apply to the others. */
  readonly why?: string;
}

export const behavioursWanted: readonly Wanted[] = read("behaviours.json") as Wanted[];
const transports: readonly Transport[] = read("transports.json") as Transport[];

/** The cells of a host in TypeScript. */
export const cellsWanted: readonly { language: Language; transport: TransportName }[] = transports.flatMap(
  ({ name, plugins }) =>
    languages.filter((language) => isWanted(language, plugins)).map((language) => ({ language, transport: name })),
);

function isWanted(language: Language, plugins: Transport["plugins"]): boolean {
  if (plugins === "own") return language === "typescript";
  return plugins === "all" || plugins.includes(language);
}

/** Why a behaviour does not apply to a transport; undefined where it does. */
export function notApplicable({ needs, why = "" }: Wanted, transport: TransportName): string | undefined {
  const isThere = needs === undefined || transports.find(({ name }) => name === transport)?.has.includes(needs);
  return isThere ? undefined : why;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
}
