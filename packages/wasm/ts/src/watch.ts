/** Ends a guest whose time or fuel is used up. It is asked at the checkpoints of an instrumented module. */

import { exhausted, Stop, stoppedAfter } from "./failure.js";
import { pageBytes, type WasmLimits } from "./limits.js";

/** Units of work, about one an instruction, from one look at the clock to the next: less than a millisecond. */
const sliceUnits = 1_000_000;

/** Milliseconds that a guest may run at least, though a deadline has passed: for one that returns soon, that is the end of a call and not its own. */
const graceMs = 10;

/** Memory in all, or elements of a table. */
export type Refused = { readonly bytes: number } | { readonly elements: number };

/** Watches one call into a guest after the other. */
export class Watch {
  readonly #name: string;
  readonly #limits: WasmLimits;
  readonly #latestDeadline: () => number;
  /** When the first checkpoint of this call was; 0: it has not come. A call that takes no time needs no clock. */
  #since = 0;
  /** When the call has to end; undefined: as soon as nobody waits for anything. */
  #deadline: number | undefined;
  /** Units that the call may still be given. */
  #fuel = Number.POSITIVE_INFINITY;
  /** What it wanted last and did not get, in this call. */
  #refused: Refused | undefined;
  #set: ((units: number) => void) | undefined;
  /** Why the guest was ended. */
  #stop: Stop | undefined;

  /** `latestDeadline`: when the last of the calls is over that wait for the guest, by the clock of `performance.now`. */
  constructor(name: string, limits: WasmLimits, latestDeadline: () => number) {
    this.#name = name;
    this.#limits = limits;
    this.#latestDeadline = latestDeadline;
  }

  /** Takes the function that sets how much the guest may do before the next checkpoint. */
  govern(set: (units: number) => void): void {
    this.#set = set;
  }

  /** A call into the guest begins. `deadline`: by the clock of `performance.now`; undefined: the latest of all that wait. */
  begin(deadline: number | undefined): void {
    this.#since = 0;
    this.#deadline = deadline;
    this.#refused = undefined;
    if (this.#limits.fuel !== Number.POSITIVE_INFINITY) this.#refuel();
  }

  #refuel(): void {
    const first = Math.min(this.#limits.fuel, sliceUnits);
    this.#fuel = this.#limits.fuel - first;
    this.#set?.(first);
  }

  /** The work that was allowed is done; `left` is below 0. Returns how much more is. Throws a Stop when it is over. */
  readonly checkpoint = (left: number): number => {
    this.check();
    if (this.#fuel === Number.POSITIVE_INFINITY) return sliceUnits;
    this.#fuel += left;
    if (this.#fuel <= 0) {
      throw this.end(exhausted(this.#name, `used up its ${this.#limits.fuel} units of fuel for one call`, "fuel"));
    }
    const slice = Math.min(this.#fuel, sliceUnits);
    this.#fuel -= slice;
    return slice;
  };

  /** Memory could not grow to so many pages, or a table to so many elements, which are below 0. */
  readonly growthRefused = (wanted: number): number => {
    this.#refused = wanted < 0 ? { elements: -wanted } : { bytes: wanted * pageBytes };
    return 0;
  };

  /** What the guest wanted and did not get in this call. If it ended then, that was why. */
  get refused(): Refused | undefined {
    return this.#refused;
  }

  /** Throws a Stop when the time of the call is over. */
  check(): void {
    if (this.#stop !== undefined) throw this.#stop;
    const now = performance.now();
    if (this.#since === 0) this.#since = now;
    const most = this.#since + this.#limits.callTimeoutMs;
    if (now >= most) throw this.end(stoppedAfter(this.#name, this.#limits.callTimeoutMs));
    if (now - this.#since < graceMs) return;
    const deadline = this.#deadline ?? this.#latestDeadline();
    if (now >= deadline) throw this.end(stoppedAfter(this.#name, now - this.#since));
  }

  /** Milliseconds that the call may still take; what the host waits for on the guest's behalf takes no longer. Throws a Stop when there are none. */
  left(): number {
    this.check();
    const most = this.#since + this.#limits.callTimeoutMs;
    return Math.max(1, Math.min(most, this.#deadline ?? this.#latestDeadline()) - performance.now());
  }

  /** Returns what ends the guest, now and should it go on all the same. */
  end(reason: Stop["reason"]): Stop {
    this.#stop ??= new Stop(reason);
    return this.#stop;
  }

  /** What ended the guest, even if it caught it. */
  get ended(): Stop | undefined {
    return this.#stop;
  }
}
