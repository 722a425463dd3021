/** Conversations by their ids. */

import { countCharacters } from "./characters.js";
import type { Eliza } from "./eliza.js";
import { InputError } from "./errors.js";
import type { Session } from "./session.js";

/** How many conversations are kept if nothing else is said. */
export const defaultMaxSessions = 10_000;
/** The longest id, in characters (Unicode code points). */
export const maxIdCharacters = 1_024;

/** Keeps the conversations that were spoken in last, and forgets the others: their ids begin anew. */
export class Sessions {
  private readonly maxSessions: number;
  /** The one that was not used for longest comes first. */
  private readonly sessions = new Map<string, Session>();

  /** Keeps up to `maxSessions` conversations, which is at least 1. */
  constructor(
    private readonly eliza: Eliza,
    { maxSessions = defaultMaxSessions }: { maxSessions?: number } = {},
  ) {
    this.maxSessions = Math.max(1, maxSessions);
  }

  /** How many conversations are kept. */
  get size(): number {
    return this.sessions.size;
  }

  /**
   * Returns the answer to a line of the conversation with this id, which any string can be, the empty one too.
   *
   * @throws InputError if the line or the id is too long
   */
  reply(sessionId: string, line: string): string {
    const characters = sessionId.length <= maxIdCharacters ? sessionId.length : countCharacters(sessionId);
    if (characters > maxIdCharacters) {
      throw new InputError(`the session id has ${characters} characters, and at most ${maxIdCharacters} serve`);
    }
    const session = this.sessions.get(sessionId) ?? this.eliza.newSession();
    this.sessions.delete(sessionId);
    this.sessions.set(sessionId, session);
    if (this.sessions.size > this.maxSessions) {
      const [oldest] = this.sessions.keys();
      if (oldest !== undefined) this.sessions.delete(oldest);
    }
    return session.reply(line);
  }

  /** Forgets a conversation, if there is one with this id. */
  forget(sessionId: string): void {
    this.sessions.delete(sessionId);
  }
}
