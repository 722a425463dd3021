import { describe, expect, test } from "@jest/globals";
import { Spin } from "../src/spin.js";

/** A loop that turns by hand: each turn takes 1 us. */
function loop() {
  let time = 0;
  let next: (() => void) | undefined;
  const spin = new Spin(
    () => time,
    (callback) => {
      next = callback;
    },
  );
  /** Turns until the loop would block; returns how many turns that took. */
  const run = (limit = 1000): number => {
    let turns = 0;
    for (let callback = next; callback !== undefined && turns < limit; callback = next) {
      next = undefined;
      time += 1;
      turns += 1;
      callback();
    }
    return turns;
  };
  return { spin, run };
}

describe("a loop that waits for an answer", () => {
  test("is idle while nothing was written", () => {
    const { spin, run } = loop();
    spin.read();
    expect(run()).toBe(0);
  });

  test("polls for 20 us and then blocks", () => {
    const { spin, run } = loop();
    spin.wrote();
    expect(run()).toBe(21);
  });

  test("stops polling when the answer came", () => {
    const { spin, run } = loop();
    spin.wrote();
    run(5);
    spin.read();
    expect(run()).toBe(1);
  });

  test("forgives one miss, skips 8, 16, … 1,024 writes after others, and none after a hit", () => {
    const { spin, run } = loop();
    const skipped: number[] = [];
    for (let miss = 0; miss < 10; miss++) {
      let writes = 0;
      do {
        spin.wrote();
        writes += 1;
      } while (run(1) === 0);
      run();
      skipped.push(writes - 1);
    }
    expect(skipped).toEqual([0, 0, 8, 16, 32, 64, 128, 256, 512, 1024]);
    for (let i = 0; i <= 1024; i++) spin.wrote();
    spin.read();
    run();
    spin.wrote();
    expect(run()).toBe(21);
  });
});
