import process from "node:process";
import { duration, styleFor } from "./style.mjs";

const TERMINAL_TICK_MS = 120;
const LOG_TICK_MS = 15_000;

/**
 * Tells a person on standard error what is being done: at a terminal one line that is rewritten in place, elsewhere a
 * line at the start, one every 15 seconds and one at the end. Standard output is left to results.
 */
export function createProgress(stream = process.stderr) {
  const style = styleFor(stream);
  const inPlace = Boolean(stream.isTTY);
  const clear = inPlace ? "\r\x1b[2K" : "";

  return {
    /** Says something about set-up as a whole. */
    note(text) {
      stream.write(`  ${text}\n`);
    },

    /** Reports a step that had nothing to do. */
    current(name, detail) {
      stream.write(`${style.green("✓")} ${name} ${style.dim(`current${detail ? `: ${detail}` : ""}`)}\n`);
    },

    /** Starts reporting a step that does something; returns how to report its output and its end. */
    start(name, why) {
      const began = Date.now();
      let latest = why;
      const tick = () => {
        const text = `  ${name}: ${latest} (${duration(Date.now() - began)})`;
        stream.write(inPlace ? `${clear}${style.dim(text.slice(0, (stream.columns ?? 80) - 1))}` : `${text}\n`);
      };
      tick();
      const timer = setInterval(tick, inPlace ? TERMINAL_TICK_MS : LOG_TICK_MS);
      const finish = (mark, text) => {
        clearInterval(timer);
        stream.write(`${clear}${mark} ${name} ${text} ${style.dim(duration(Date.now() - began))}\n`);
      };
      return {
        line(text) {
          latest = text;
        },
        done() {
          finish(style.green("✓"), "done in");
        },
        failed() {
          finish(style.red("✗"), style.red("failed after"));
        },
      };
    },
  };
}
