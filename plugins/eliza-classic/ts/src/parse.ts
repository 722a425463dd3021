/**
 * The grammar of scripts: text in the form of 1966 to a Script, or the first place where it is not in that form.
 *
 * The form is nested four lists deep at most, and each kind of list has a function here: a deeper one is refused where
 * it opens, so no script can exhaust the stack.
 */

import { type Decomposition, decompositionOf, type Element } from "./decompose.js";
import { endlessLink } from "./links.js";
import { Reader } from "./reader.js";
import {
  type Memory,
  none,
  type Part,
  type Reassembly,
  type Rule,
  type Script,
  type Transformation,
} from "./script.js";
import { isNumber, type Token } from "./tokens.js";
import { textOf } from "./words.js";

const memory = "MEMORY";
const memoryRules = 4;
const linkForm = "a link is = and one keyword, as (=WHAT)";
const preForm = "PRE is followed by a reassembly and a link, as (PRE (I ARE 3) (=YOU))";
const ruleForm = "a rule is a keyword, then = and a substitute, DLIST and tags, a rank, transformations and a link";

/**
 * Returns the script that the text says.
 *
 * @throws ScriptError if the text is not a script; the error says where and why
 */
export function parseScript(text: string): Script {
  return new Parser(text).script();
}

class Parser {
  private readonly reader: Reader;
  private readonly keywords = new Map<string, Token>();
  private readonly rules = new Map<string, Rule>();
  private memory: Memory | undefined;
  private readonly tags = new Map<string, Set<string>>();
  /** The tags that a list in a decomposition names, and its words, which are known when all rules are. */
  private readonly tagged: { readonly tags: readonly string[]; readonly words: Set<string> }[] = [];
  private transformations = 0;

  constructor(text: string) {
    this.reader = new Reader(text);
  }

  script(): Script {
    const { reader } = this;
    reader.open("a script begins with the greeting, a list");
    const greeting = [...reader.plainTokens("the greeting is a list of words")].map((token) => token.text);
    if (greeting.length === 0) throw reader.error("the greeting is empty", reader.next);
    reader.close();
    if (!reader.at("START")) throw reader.unexpected("START follows the greeting");
    reader.take();
    while (!reader.at("") && this.rule());
    if (!reader.at("")) throw reader.unexpected("nothing follows the empty list that ends a script");
    const lastResort = this.rules.get(none);
    if (lastResort === undefined) throw reader.error("there is no rule NONE", reader.next);
    this.rules.delete(none);
    for (const { tags, words } of this.tagged) {
      for (const word of tags.flatMap((tag) => [...(this.tags.get(tag) ?? [])])) words.add(word);
    }
    const script: Script = {
      greeting: textOf(greeting),
      rules: this.rules,
      none: lastResort,
      memory: this.memory,
      transformations: this.transformations,
    };
    const endless = endlessLink(script);
    const token = endless === undefined ? undefined : this.keywords.get(endless);
    if (token !== undefined) throw reader.error(`the links from ${token.text} never lead to an answer`, token);
    return script;
  }

  /** Reads a rule, or the empty list that ends the script; then the result is false. */
  private rule(): boolean {
    const { reader } = this;
    if (reader.at(")")) throw reader.error("this bracket closes no list", reader.next);
    reader.open("a rule is a list");
    if (reader.at(")")) {
      reader.close();
      return false;
    }
    const keyword = reader.word("a rule begins with its keyword");
    const known = this.keywords.get(keyword.text);
    if (known !== undefined) {
      throw reader.error(`${keyword.text} has a rule already, in line ${known.line}`, keyword);
    }
    this.keywords.set(keyword.text, keyword);
    if (keyword.text === memory) this.memory = this.memoryRule();
    else this.rules.set(keyword.text, this.keywordRule(keyword.text));
    reader.close();
    return true;
  }

  private keywordRule(keyword: string): Rule {
    const { reader } = this;
    if (keyword === none && !reader.at("(", ")", "")) {
      throw reader.unexpected("NONE has no substitute, tags or rank");
    }
    const substitute = this.substitute();
    this.dlist(keyword, substitute);
    const rank = isNumber(reader.next) ? reader.number(reader.take()) : 0;
    const transformations: Transformation[] = [];
    let link: string | undefined;
    while (!reader.at(")")) {
      if (link !== undefined) throw reader.unexpected("a link ends its rule");
      reader.open(ruleForm);
      if (reader.at("=")) link = this.link();
      else transformations.push(this.transformation());
      reader.close();
    }
    if (keyword === none && transformations.length === 0 && link === undefined) {
      throw reader.error("NONE has no transformation", reader.next);
    }
    return { keyword, substitute, rank, transformations, link };
  }

  private substitute(): string | undefined {
    if (!this.reader.at("=")) return undefined;
    this.reader.take();
    return this.reader.word("= is followed by the word that replaces the keyword").text;
  }

  /** Reads the tags. The substitute has them too: it is what a decomposition meets in place of the keyword. */
  private dlist(keyword: string, substitute: string | undefined): void {
    const { reader } = this;
    if (!reader.at("DLIST")) return;
    reader.take();
    reader.open("DLIST is followed by a list of tags, as (/FAMILY)");
    if (!reader.next.text.startsWith("/")) throw reader.unexpected("a list of tags begins with /");
    for (const tag of this.wordsAfterSign()) {
      const words = this.tags.get(tag) ?? new Set();
      this.tags.set(tag, words.add(keyword).add(substitute ?? keyword));
    }
    reader.close();
  }

  private transformation(): Transformation {
    const { reader } = this;
    reader.open("a transformation begins with its decomposition, a list");
    const decomposition = this.decomposition(")", "a decomposition is made of words, numbers and lists");
    reader.close();
    const index = this.transformations;
    this.transformations += 1;
    const reassemblies: Reassembly[] = [];
    while (!reader.at(")")) {
      reader.open("a reassembly is a list");
      reassemblies.push(this.reassembly(decomposition));
      reader.close();
    }
    if (reassemblies.length === 0) throw reader.error("a transformation has at least one reassembly", reader.next);
    return { index, decomposition, reassemblies };
  }

  private decomposition(end: string, form: string): Decomposition {
    const { reader } = this;
    const elements: Element[] = [];
    while (!reader.at(end)) {
      if (reader.at("(")) {
        elements.push(this.choice(form));
      } else if (reader.at("=", ")", "")) {
        throw reader.unexpected(form);
      } else {
        const token = reader.take();
        elements.push(isNumber(token) ? reader.number(token) : token.text);
      }
    }
    if (elements.length === 0) throw reader.error("a decomposition is not empty", reader.next);
    return decompositionOf(elements);
  }

  private choice(form: string): ReadonlySet<string> {
    const { reader } = this;
    reader.open(form);
    const sign = reader.next.text.slice(0, 1);
    if (sign !== "*" && sign !== "/") throw reader.unexpected("a list in a decomposition begins with * or /");
    const words = this.wordsAfterSign();
    reader.close();
    if (sign === "*") return new Set(words);
    const tagged = { tags: words, words: new Set<string>() };
    this.tagged.push(tagged);
    return tagged.words;
  }

  /** Reads the words of a list whose first token begins with * or /, which may be all of that token. */
  private wordsAfterSign(): string[] {
    const { reader } = this;
    const first = reader.take().text.slice(1);
    const words = first === "" ? [] : [first];
    for (const token of reader.plainTokens("a list with * or / is made of words")) words.push(token.text);
    if (words.length === 0) throw reader.error("a list with * or / is not empty", reader.next);
    return words;
  }

  private reassembly(decomposition: Decomposition): Reassembly {
    const { reader } = this;
    const first = reader.next.text;
    if (first === "=") return { kind: "link", keyword: this.link() };
    if (first !== "NEWKEY" && first !== "PRE") return { kind: "say", parts: this.parts(decomposition) };
    reader.take();
    if (first === "NEWKEY" && reader.at(")")) return { kind: "newkey" };
    if (first === "PRE" && reader.at("(")) return this.pre(decomposition);
    return { kind: "say", parts: [first, ...this.parts(decomposition, { begun: true })] };
  }

  private pre(decomposition: Decomposition): Reassembly {
    const { reader } = this;
    reader.open(preForm);
    const parts = this.parts(decomposition);
    reader.close();
    reader.open(preForm);
    if (!reader.at("=")) throw reader.unexpected(preForm);
    const keyword = this.link();
    reader.close();
    if (!reader.at(")")) throw reader.unexpected(preForm);
    return { kind: "pre", parts, keyword };
  }

  /** Reads the inside of a list (=KEYWORD). */
  private link(): string {
    this.reader.take();
    const keyword = this.reader.word(linkForm).text;
    if (!this.reader.at(")")) throw this.reader.unexpected(linkForm);
    return keyword;
  }

  private parts(decomposition: Decomposition, { begun = false } = {}): Part[] {
    const { reader } = this;
    const parts: Part[] = [];
    for (const token of reader.plainTokens("a reassembly is made of words and numbers")) {
      if (!isNumber(token)) {
        parts.push(token.text);
        continue;
      }
      const number = reader.number(token);
      if (number < 1 || number > decomposition.parts) {
        throw reader.error(`there is no part ${number}, only 1 to ${decomposition.parts}`, token);
      }
      parts.push(number);
    }
    if (parts.length === 0 && !begun) throw reader.error("a reassembly is not empty", reader.next);
    return parts;
  }

  private memoryRule(): Memory {
    const { reader } = this;
    const keyword = reader.word("MEMORY is followed by its keyword").text;
    const rules: Memory["rules"][number][] = [];
    while (!reader.at(")")) {
      if (rules.length === memoryRules) throw reader.unexpected("MEMORY has exactly four rules");
      reader.open("a rule of MEMORY is a list");
      const decomposition = this.decomposition("=", "a rule of MEMORY is a decomposition, = and a reassembly");
      reader.take();
      rules.push({ decomposition, parts: this.parts(decomposition) });
      reader.close();
    }
    if (rules.length < memoryRules) throw reader.unexpected("MEMORY has exactly four rules");
    return { keyword, rules };
  }
}
