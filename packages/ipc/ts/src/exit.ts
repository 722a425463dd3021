/** How a child process ended, in words. */

/** The end of a process: an exit status or the signal that killed it. */
export interface Exit {
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

/** "exited with status 3" or "was killed by SIGKILL". */
export function describeExit(exit: Exit): string {
  return exit.signal === undefined ? `exited with status ${exit.status ?? 0}` : `was killed by ${exit.signal}`;
}

/** The last lines that a process wrote to stderr, or else to stdout, as the tail of an error message; empty when it wrote none. */
export function describeOutput(stderr: readonly string[], stdout: readonly string[]): string {
  if (stderr.length > 0) return `; its last lines on stderr:\n${indent(stderr)}`;
  if (stdout.length > 0) return `; its last lines on stdout:\n${indent(stdout)}`;
  return "";
}

/** Longer lines are cut in an error message; the log has them whole. */
const shownLineLength = 500;

function indent(lines: readonly string[]): string {
  return lines
    .map((line) => `  ${line.length > shownLineLength ? `${line.slice(0, shownLineLength)}…` : line}`)
    .join("\n");
}
