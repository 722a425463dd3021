/** A schema or an option that nothing can be generated for. Its message is for the schema's author: where, what, and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Everything that is in the way of generating, so that it is told at once. */
export class Problems {
  readonly #texts = new Set<string>();

  /** @param text where (`file:line`), what, and what to do */
  add(text: string): void {
    this.#texts.add(text);
  }

  /** Does a part of the work whose refusal is one problem among others. */
  collect<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.add(error.message);
      return undefined;
    }
  }

  /** @throws Refusal when there are any, with one line for each, in the order of their places */
  throwIfAny(): void {
    if (this.#texts.size > 0) throw new Refusal([...this.#texts].sort(byPlace).join("\n"));
  }
}

/** `a, b and c` */
export function list(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `a.proto:9` before `a.proto:10`. */
function byPlace(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
