/** One conversation. */

import { countCharacters } from "./characters.js";
import { decompose } from "./decompose.js";
import { hashOf } from "./hash.js";
import { reassemble } from "./reassemble.js";
import { type Reassembly, type Rule, ruleOf, type Script, type Transformation, transforms } from "./script.js";
import { textOf, wordsOf } from "./words.js";

/** The most memories that wait in a session; while so many wait, nothing more is remembered. */
export const maxMemories = 1_000;
/** The most characters in the memories that wait in a session; one that would make it more is not kept. */
export const maxMemoryCharacters = 65_536;
/** The most links that are followed for one answer. */
export const maxLinks = 1_000;
/** The most words that the links followed for one answer carry, all together. */
export const maxLinkedWords = 1_000_000;

const limits = 4;
const atALoss = ["PLEASE CONTINUE", "HMMM", "GO ON, PLEASE", "I SEE"] as const;

/** A decomposition that matched, and where its parts begin and end. */
interface Match {
  readonly transformation: Transformation;
  readonly bounds: readonly number[];
}

/** A conversation: what was said in it changes later answers in it, and in no other. */
export class Session {
  private limit = 1;
  /** For each transformation, the number of the reassembly that is used next. */
  private readonly turns: Uint32Array;
  private readonly memories: { readonly text: string; readonly characters: number }[] = [];
  private memoryCharacters = 0;

  /** Begins a conversation. */
  constructor(private readonly script: Script) {
    this.turns = new Uint32Array(script.transformations);
  }

  /**
   * Returns the answer to a line, in capitals.
   *
   * @throws InputError if the line is longer than maxLineCharacters; the session stays as it was
   */
  reply(line: string): string {
    const said = wordsOf(line);
    this.limit = (this.limit % limits) + 1;
    const { keywords, words } = this.scan(said);
    if (keywords.length === 0 && this.limit === limits) {
      const memory = this.memories.shift();
      if (memory !== undefined) {
        this.memoryCharacters -= memory.characters;
        return memory.text;
      }
    }
    return this.answer(keywords, words);
  }

  /** Returns the rules of the keywords, the first to be tried first, and the words of their clause. */
  private scan(said: string[]): { keywords: Rule[]; words: string[] } {
    const front: Rule[] = [];
    const back: Rule[] = [];
    let highest = 0;
    let start = 0;
    let end = said.length;
    for (const [at, word] of said.entries()) {
      if (word === "," || word === "." || word === "BUT") {
        if (front.length > 0 || back.length > 0) {
          end = at;
          break;
        }
        start = at + 1;
        continue;
      }
      const rule = this.script.rules.get(word);
      if (rule === undefined) continue;
      if (transforms(rule)) {
        if (rule.rank > highest) {
          highest = rule.rank;
          front.push(rule);
        } else {
          back.push(rule);
        }
      }
      if (rule.substitute !== undefined) said[at] = rule.substitute;
    }
    return { keywords: front.reverse().concat(back), words: said.slice(start, end) };
  }

  private answer(keywords: readonly Rule[], clause: readonly string[]): string {
    const { script } = this;
    const matches = new Map<Rule, Match | undefined>();
    let words = clause;
    let waiting = 0;
    let rule = keywords[waiting] ?? script.none;
    let links = 0;
    let linkedWords = 0;
    let remembered = false;
    for (;;) {
      if (!remembered && rule.keyword === script.memory?.keyword) {
        remembered = true;
        this.remember(words);
      }
      if (!matches.has(rule)) matches.set(rule, matchOf(rule, words));
      const match = matches.get(rule);
      let target = rule.link;
      if (match !== undefined) {
        const reassembly = this.nextReassembly(match.transformation);
        if (reassembly.kind === "say") return textOf(reassemble(reassembly.parts, words, match.bounds));
        if (reassembly.kind === "newkey") {
          waiting += 1;
          if (waiting > keywords.length) break;
          rule = keywords[waiting] ?? script.none;
          continue;
        }
        if (reassembly.kind === "pre") {
          words = reassemble(reassembly.parts, words, match.bounds);
          matches.clear();
        }
        target = reassembly.keyword;
      }
      const linked = target === undefined ? undefined : ruleOf(script, target);
      links += 1;
      linkedWords += words.length;
      if (linked === undefined || links > maxLinks || linkedWords > maxLinkedWords) break;
      rule = linked;
    }
    return atALoss[this.limit - 1] ?? atALoss[0];
  }

  private nextReassembly(transformation: Transformation): Reassembly {
    const { index, reassemblies } = transformation;
    const turn = this.turns[index] ?? 0;
    this.turns[index] = (turn + 1) % reassemblies.length;
    return reassemblies[turn] ?? { kind: "newkey" };
  }

  private remember(words: readonly string[]): void {
    if (this.memories.length >= maxMemories) return;
    const rule = this.script.memory?.rules[hashOf(words.at(-1) ?? "")];
    const bounds = rule === undefined ? undefined : decompose(rule.decomposition, words);
    if (rule === undefined || bounds === undefined) return;
    const text = textOf(reassemble(rule.parts, words, bounds));
    const characters = countCharacters(text);
    if (this.memoryCharacters + characters > maxMemoryCharacters) return;
    this.memories.push({ text, characters });
    this.memoryCharacters += characters;
  }
}

/** Returns the first decomposition of the rule that the words match. */
function matchOf(rule: Rule, words: readonly string[]): Match | undefined {
  for (const transformation of rule.transformations) {
    const bounds = decompose(transformation.decomposition, words);
    if (bounds !== undefined) return { transformation, bounds };
  }
  return undefined;
}
