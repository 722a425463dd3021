import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 250;

/**
 * Lets one set-up at a time work on a checkout: `npm start` and `npm test` may be started together.
 *
 * @param {string} folder where the lock file lies; it names the process that holds the lock
 * @param {(pid: number) => void} onWait called once if another process, which is named, has to be waited for
 * @returns {Promise<() => void>} how to release the lock
 */
export async function takeLock(folder, onWait) {
  const file = join(folder, "setup.lock");
  mkdirSync(folder, { recursive: true });
  const release = () => rmSync(file, { force: true });
  for (let waiting = false; ; waiting = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      process.once("exit", release);
      return () => {
        process.off("exit", release);
        release();
      };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = holderOf(file);
    if (holder === undefined) release();
    else if (!waiting) onWait(holder);
    if (holder !== undefined) await sleep(RETRY_MS);
  }
}

/** Returns the process that holds the lock, or undefined if it died without releasing it. */
function holderOf(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === "EPERM" ? -1 : undefined;
  }
}
