import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import { Watchdog } from "../src/watchdog.js";

test("a watchdog that was killed is replaced, and watches what the first one watched", async () => {
  const group = spawn("sleep", ["100000"], { detached: true, stdio: "ignore" });
  const watchdog = new Watchdog();
  expect(watchdog.add(group.pid ?? 0)).toBe(true);
  const first = watchdog.pid ?? 0;
  process.kill(first, "SIGKILL");
  while (watchdog.pid === first || watchdog.pid === undefined) await new Promise((resolve) => setImmediate(resolve));
  const ended = once(group, "exit");
  watchdog.close();
  expect(await ended).toEqual([null, "SIGKILL"]);
});

test("a group that was taken off the list is left alone", async () => {
  const group = spawn("sleep", ["100000"], { detached: true, stdio: "ignore" });
  const other = spawn("sleep", ["100000"], { detached: true, stdio: "ignore" });
  const watchdog = new Watchdog();
  watchdog.add(group.pid ?? 0);
  watchdog.add(other.pid ?? 0);
  watchdog.remove(group.pid ?? 0);
  const ended = once(other, "exit");
  watchdog.close();
  await ended;
  expect(group.exitCode ?? group.signalCode).toBeNull();
  group.kill("SIGKILL");
});
