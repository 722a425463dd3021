import process from "node:process";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

/**
 * @param {NodeJS.WriteStream} stream where the text will go
 * @returns one function per style, which colours a text if the stream is a terminal and NO_COLOR is not set
 */
export function styleFor(stream) {
  const colour = Boolean(stream.isTTY) && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  return Object.fromEntries(
    Object.entries(codes).map(([name, code]) => [name, (text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)]),
  );
}

/** Returns a duration given in milliseconds as people write it: `0.4 s`, `12 s`, `2 min 05 s`. */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
