/** The shared timer, by a clock that the tests turn. */

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { type Bucket, Deadlines, type Expiring } from "../src/deadlines.js";

class Entry implements Expiring {
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  expiredAt: number | undefined;
  readonly onExpire: () => void;

  constructor(onExpire: () => void = () => {}) {
    this.onExpire = onExpire;
  }

  expire(): void {
    this.expiredAt = performance.now();
    this.onExpire();
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("deadlines", () => {
  test("pass never early, and little late, in any order", () => {
    const deadlines = new Deadlines();
    const start = performance.now();
    const delays = [30_000, 5, 1, 500, 500, 17.3, 0, 2 ** 31 + 1000];
    const entries = delays.map((delay) => {
      const entry = new Entry();
      deadlines.add(entry, start + delay);
      return entry;
    });
    jest.advanceTimersByTime(2 ** 31 + 2000);
    for (const [index, entry] of entries.entries()) {
      const late = (entry.expiredAt ?? Number.POSITIVE_INFINITY) - start - (delays[index] ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(6);
    }
  });

  test("that are removed do not pass, and leave no timer behind that would keep a process", () => {
    const deadlines = new Deadlines();
    const entries = Array.from({ length: 10 }, () => new Entry());
    const at = performance.now() + 50;
    for (const entry of entries) deadlines.add(entry, at);
    for (const place of [0, 9, 4, 5, 1]) deadlines.remove(entries[place] ?? new Entry());
    deadlines.remove(new Entry());
    jest.advanceTimersByTime(100);
    expect(entries.map(({ expiredAt }) => expiredAt !== undefined)).toEqual(
      [2, 3, 6, 7, 8].reduce((all, place) => all.with(place, true), new Array<boolean>(10).fill(false)),
    );
    expect(jest.getTimerCount()).toBe(0);
  });

  test("can be added and removed while others pass", () => {
    const deadlines = new Deadlines();
    const now = performance.now();
    const late = new Entry();
    const doomed = new Entry();
    const first = new Entry(() => {
      deadlines.remove(doomed);
      deadlines.add(late, performance.now() + 10);
    });
    deadlines.add(doomed, now + 20);
    deadlines.add(first, now + 20);
    jest.advanceTimersByTime(100);
    expect([first.expiredAt, late.expiredAt].every((at) => at !== undefined)).toBe(true);
    expect(doomed.expiredAt).toBeUndefined();
  });

  test("need one timer, however many there are", () => {
    const deadlines = new Deadlines();
    const now = performance.now();
    for (let index = 0; index < 1000; index++) deadlines.add(new Entry(), now + 1000 - index);
    expect(jest.getTimerCount()).toBe(1);
  });
});
