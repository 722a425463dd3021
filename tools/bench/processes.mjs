/** What a process and its children use, from /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The watchdog of anyplug's hosts is a shell; the plugin is the other child. */
const WATCHDOG = /^(\/bin\/)?sh\0/;

/** Rest shows in a longer look than a call does. */
const REST_FACTOR = 5;

/**
 * @param {"child" | "host"} whose the plugin's CPU time, or that of the process that loaded it
 * @returns {(worker: { pid: number }, ms: number) => Promise<{ value: number }>} the percentage of a core that it uses
 */
export function idleCpu(whose) {
  return async ({ pid }, ms) => {
    const watched = whose === "host" ? [pid] : children(pid);
    const [before, start] = [cpuTime(watched), performance.now()];
    await sleep(ms * REST_FACTOR);
    return { value: ((cpuTime(watched) - before) / 1e6 / (performance.now() - start)) * 100 };
  };
}

/**
 * @param {RegExp} fields those of /proc/PID/smaps_rollup that count
 * @returns {(worker: { pid: number }) => Promise<{ value: number }>} the megabytes that the children hold
 */
export function memory(fields) {
  return async ({ pid }) => {
    const kilobytes = children(pid).flatMap((child) =>
      [...read(`/proc/${child}/smaps_rollup`).matchAll(fields)].map(([, amount]) => Number(amount)),
    );
    return { value: (sum(kilobytes) * 1024) / 1e6 };
  };
}

/** Returns the children of a process that are not a watchdog, by their ids. */
function children(parent) {
  const found = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const stat = read(`/proc/${name}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent && !isWatchdog(name);
  });
  if (found.length === 0) throw new Error(`process ${parent} has no child`);
  return found;
}

function isWatchdog(pid) {
  return WATCHDOG.test(read(`/proc/${pid}/cmdline`));
}

/** Returns the nanoseconds that all threads of the processes have run. */
function cpuTime(pids) {
  const threads = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`));
  return sum(threads.map((thread) => Number(read(`${thread}/schedstat`).split(" ")[0])));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A process or thread may end between the look at the folder and this one. */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
