/**
 * The imports of one generated file. Each symbol gets a local name: its own when that is free, else with underscores
 * after it, so that a message called `Promise` or `CallOptions` does no harm.
 */
export class Imports {
  readonly #taken: Set<string>;
  readonly #locals = new Map<string, Map<string, string>>();

  /** @param taken names that the file declares itself or that the language gives it */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** The local name of a module's symbol, which is imported from now on. */
  use(module: string, symbol: string): string {
    const locals = this.#locals.get(module) ?? new Map<string, string>();
    this.#locals.set(module, locals);
    const known = locals.get(symbol);
    if (known !== undefined) return known;
    let local = symbol;
    while (this.#taken.has(local)) local += "_";
    this.#taken.add(local);
    locals.set(symbol, local);
    return local;
  }

  /** Modules in order of their names, relative ones last, each with its symbols and their local names in order. */
  sorted(): [module: string, symbols: [symbol: string, local: string][]][] {
    const modules = [...this.#locals].map(([module, locals]) => ({ module, symbols: [...locals].sort(byName) }));
    const rank = (module: string) => `${module.startsWith(".") ? 1 : 0}${module}`;
    modules.sort((a, b) => (rank(a.module) < rank(b.module) ? -1 : 1));
    return modules.map(({ module, symbols }) => [module, symbols]);
  }
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}
