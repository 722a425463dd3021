/** The test plugin in each language, as a program. */

import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export const programs: readonly { readonly language: string; readonly command: readonly [string, ...string[]] }[] = [
  { language: "TypeScript", command: [process.execPath, `${root}plugins/test-plugin/ts/dist/main.js`] },
];
