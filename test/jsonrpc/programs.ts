/** The test plugin in each language, as a program. */

import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const plugins = `${root}plugins/test-plugin`;

/** A program, its arguments and the folder that it is started in. */
export interface Program {
  readonly language: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
}

export const programs: readonly Program[] = [
  { language: "TypeScript", command: [process.execPath, "dist/main.js"], cwd: `${plugins}/ts` },
  { language: "Rust", command: ["bin/anyplug-test-plugin"], cwd: `${plugins}/rust` },
  { language: "Python", command: [`${root}.venv/bin/python`, "-m", "anyplug_test_plugin"], cwd: `${plugins}/python` },
];
