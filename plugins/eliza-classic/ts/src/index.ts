/** ELIZA as Weizenbaum described it in 1966, with the DOCTOR script. */

export { doctor } from "./doctor.js";
export { Eliza } from "./eliza.js";
export { InputError, ScriptError } from "./errors.js";
export { parseScript } from "./parse.js";
export type { Script } from "./script.js";
export { maxMemories, maxMemoryCharacters, Session } from "./session.js";
export { defaultMaxSessions, maxIdCharacters, Sessions } from "./sessions.js";
export { maxScriptCharacters } from "./tokens.js";
export { maxLineCharacters } from "./words.js";
