/** The bytes of a call over a bare pipe, without frames, calls or messages: what no host can be faster than. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { contender, IN_FLIGHT, LARGE, LARGE_IN_FLIGHT, percentiles, SMALL, STREAM } from "./clock.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const programs = {
  ts: [process.execPath, join(import.meta.dirname, "echo.mjs")],
  python: [join(root, ".venv", "bin", "python"), join(import.meta.dirname, "..", "python", "echo.py")],
};
const echoProgram = join(root, "target", "fast", "anyplug-bench-echo");

/** The same waiting as the host's: the loop goes on for 20 us after a write, then it may block. */
const SPIN_MS = 0.02;

/**
 * Starts a child that echoes on descriptor 3. `how` is "spin" (both sides poll for 20 us), "block" (both wait
 * in the system), or "ts" or "python", a plain child of that language.
 */
export async function start(how) {
  const [program, ...args] = programs[how] ?? [echoProgram, how];
  const launch = () => spawn(program, [...args, "3", "3"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const child = launch();
  const socket = child.stdio[3];
  const spinning = how === "spin" ? createSpin() : { wrote() {}, read() {} };
  let take = (_bytes) => {};
  socket.on("data", (bytes) => {
    spinning.read();
    take(bytes);
  });
  const write = (bytes) => {
    socket.write(bytes);
    spinning.wrote();
  };

  /** Keeps `inFlight` messages of `size` bytes going; returns how many bytes came back in a second. */
  const echo = (ms, size, inFlight) =>
    new Promise((resolve) => {
      const message = new Uint8Array(size * inFlight).fill(7);
      const start = performance.now();
      const end = start + ms;
      let sent = message.length;
      let received = 0;
      take = (bytes) => {
        const whole = Math.floor(received / size);
        received += bytes.length;
        const more = (Math.floor(received / size) - whole) * size;
        if (more > 0 && performance.now() < end) {
          sent += more;
          write(message.subarray(0, more));
        }
        if (received === sent) resolve((received * 1000) / (performance.now() - start));
      };
      write(message);
    });

  const runs = {
    async latency(ms) {
      const message = new Uint8Array(SMALL).fill(7);
      const samples = [];
      let answered = () => {};
      let missing = 0;
      take = (bytes) => {
        missing -= bytes.length;
        if (missing === 0) answered();
      };
      const call = () =>
        new Promise((resolve) => {
          missing = SMALL;
          answered = resolve;
          write(message);
        });
      for (let warm = 0; warm < 20; warm++) await call();
      const end = performance.now() + ms;
      for (let now = 0; now < end; ) {
        const start = performance.now();
        await call();
        now = performance.now();
        samples.push((now - start) * 1000);
      }
      return percentiles(samples);
    },
    /** Until a new child has answered. */
    async load() {
      const start = performance.now();
      const other = launch();
      other.stdio[3].write(new Uint8Array(SMALL));
      await once(other.stdio[3], "data");
      const value = performance.now() - start;
      other.stdio[3].destroy();
      await once(other, "exit");
      return { value };
    },
    throughput: async (ms) => ({ value: (await echo(ms, SMALL, IN_FLIGHT)) / SMALL }),
    bulk: async (ms) => ({ value: ((await echo(ms, LARGE, LARGE_IN_FLIGHT)) * 2) / 1e6 }),
    stream: (ms) =>
      new Promise((resolve) => {
        const order = new Uint8Array(Uint32Array.of(STREAM).buffer);
        const start = performance.now();
        const end = start + ms;
        let messages = 0;
        let missing = STREAM * SMALL;
        take = (bytes) => {
          missing -= bytes.length;
          for (let at = 0; at < bytes.length; at += SMALL)
            messages += bytes.subarray(at, at + SMALL).length > 0 ? 1 : 0;
          if (missing > 0) return;
          if (performance.now() >= end) return resolve({ value: (messages * 1000) / (performance.now() - start) });
          missing = STREAM * SMALL;
          write(order);
        };
        write(order);
      }),
  };
  return contender(runs, async () => {
    socket.destroy();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
}

/** The waiting of anyplug's own channel, in short: polls for 20 us of the loop's turns after a write, and after a miss leaves the next writes out. */
function createSpin() {
  let [armed, waiting, since, skip, nextSkip] = [false, false, Number.NaN, 0, 8];
  const turn = () => {
    if (waiting && Number.isNaN(since)) since = performance.now();
    else if (waiting && performance.now() - since >= SPIN_MS) {
      waiting = false;
      skip = nextSkip;
      nextSkip = Math.min(1024, nextSkip * 2);
    }
    armed = waiting;
    if (armed) setImmediate(turn);
  };
  return {
    wrote() {
      if (skip > 0) {
        skip -= 1;
        return;
      }
      waiting = true;
      since = Number.NaN;
      if (armed) return;
      armed = true;
      setImmediate(turn);
    },
    read() {
      if (!waiting) return;
      waiting = false;
      nextSkip = 8;
    },
  };
}
