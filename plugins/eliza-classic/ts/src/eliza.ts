/** ELIZA: a script, and the conversations held by it. */

import { doctor } from "./doctor.js";
import type { Script } from "./script.js";
import { Session } from "./session.js";

/** Answers by a script, which is DOCTOR if none is given. */
export class Eliza {
  private readonly script: Script;

  /** Takes the script that `parseScript` returned. */
  constructor(script: Script = doctor()) {
    this.script = script;
  }

  /** What ELIZA says before the first line. */
  get greeting(): string {
    return this.script.greeting;
  }

  /** Returns a new conversation. */
  newSession(): Session {
    return new Session(this.script);
  }
}
