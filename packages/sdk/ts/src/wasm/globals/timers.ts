/** Timers. The host wakes the module when the next one is due. */

import { host } from "../host.js";

/** What `setTimeout` returns. As in Node it can be told not to keep its process alive, which here nothing does. */
export class Timer {
  readonly callback: () => void;
  /** Milliseconds between two runs; undefined: it runs once. */
  readonly intervalMs: number | undefined;
  due: number;
  /** Timers that are due together run in the order in which they were set. */
  order: number;
  isActive = true;

  constructor(callback: () => void, due: number, intervalMs: number | undefined) {
    this.callback = callback;
    this.due = due;
    this.intervalMs = intervalMs;
    count += 1;
    this.order = count;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    return this;
  }

  [Symbol.toPrimitive](): number {
    byNumber.set(this.order, this);
    return this.order;
  }
}

const maxDelayMs = 0x7fff_ffff;

let count = 0;
/** A heap: each is due no later than the two at twice its place. */
const heap: Timer[] = [];
/** Those that were asked for their number. */
const byNumber = new Map<number, Timer>();
let announced = Number.POSITIVE_INFINITY;
/** Timers of a later number were set by those that run now, and have their turn another time. */
let turn: number | undefined;
let turnSince = 0;
/** How long timers run before the host has its turn, in milliseconds: it gives a call into a module so much time and no more. */
const turnMs = 500;

export function setTimeout<Arguments extends unknown[]>(
  callback: (...given: Arguments) => void,
  delayMs = 0,
  ...given: Arguments
): Timer {
  return set(callback, delayMs, given, false);
}

export function setInterval<Arguments extends unknown[]>(
  callback: (...given: Arguments) => void,
  delayMs = 0,
  ...given: Arguments
): Timer {
  return set(callback, delayMs, given, true);
}

export function clearTimeout(timer: unknown): void {
  const found = timer instanceof Timer ? timer : byNumber.get(Number(timer));
  if (found === undefined) return;
  found.isActive = false;
  byNumber.delete(found.order);
  while (heap[0]?.isActive === false) take();
  announce();
}

/** The clock of a module that is being built stands still at 0; now it goes. */
export function startTimers(): void {
  const now = performance.now();
  for (const timer of heap) timer.due += now;
  announce();
}

/** Runs the next timer that is due. Returns 0 when there is none. */
export function tick(): number {
  const now = performance.now();
  if (turn === undefined) {
    turn = count;
    turnSince = now;
  }
  const [timer] = heap;
  if (timer === undefined || timer.due > now || timer.order > turn || now - turnSince > turnMs) {
    turn = undefined;
    announce();
    return 0;
  }
  take();
  if (timer.isActive) run(timer, now);
  return 1;
}

function run(timer: Timer, now: number): void {
  const { intervalMs } = timer;
  if (intervalMs === undefined) {
    timer.isActive = false;
    byNumber.delete(timer.order);
  } else {
    timer.due = now + intervalMs;
    put(timer);
  }
  try {
    timer.callback();
  } catch (error) {
    // As a rejection that nobody waits for: it is reported, and the others run.
    void Promise.reject(error);
  }
}

function set<Arguments extends unknown[]>(
  callback: (...given: Arguments) => void,
  delayMs: number,
  given: Arguments,
  repeats: boolean,
): Timer {
  if (typeof callback !== "function") throw new TypeError("a timer's callback has to be a function");
  const asked = Number(delayMs);
  // As Node has it: what is no number of milliseconds is 1.
  const ms = asked >= 1 && asked <= maxDelayMs ? asked : 1;
  const delay = asked === 0 && !repeats ? 0 : ms;
  const timer = new Timer(() => callback(...given), performance.now() + delay, repeats ? ms : undefined);
  put(timer);
  announce();
  return timer;
}

/** Says when the first is due. */
function announce(): void {
  const due = heap[0]?.due ?? Number.POSITIVE_INFINITY;
  if (due === announced) return;
  announced = due;
  host.wake(due);
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.due < other.due || (one.due === other.due && one.order < other.order);
}

function put(timer: Timer): void {
  let at = heap.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Timer;
    if (!isBefore(timer, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function take(): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    const right = heap[below + 1];
    if (right !== undefined && isBefore(right, heap[below] as Timer)) below += 1;
    const child = heap[below] as Timer;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}
