/** How the waits of this plugin ended. */

/** Counts, and tells who waits for them that they changed. */
export class Waits {
  #started = 0;
  #completed = 0;
  #cancelled = 0;
  #waiting: (() => void)[] = [];

  /** A wait begins. The function that is returned says how it ended. */
  start(): (completed: boolean) => void {
    this.#started += 1;
    this.#changed();
    return (completed) => {
      if (completed) this.#completed += 1;
      else this.#cancelled += 1;
      this.#changed();
    };
  }

  /** Waits until that many have begun, and all that have begun have ended. */
  async settled(atLeast: number): Promise<{ started: number; completed: number; cancelled: number }> {
    while (this.#started < atLeast || this.#started > this.#completed + this.#cancelled) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return { started: this.#started, completed: this.#completed, cancelled: this.#cancelled };
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
