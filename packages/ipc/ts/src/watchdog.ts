/** No plugin outlives its host, however the host ends: a small shell kills the process groups that are left. */

import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads "+group" and "-group" until its input ends, which it does when the host is gone, by whatever cause. Plugins that read their channel end by themselves in the
 * second that follows; what is left of the groups is killed.
 */
const script = `
trap '' HUP INT TERM
groups=' '
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
  esac
done
alive() { for group in $groups; do kill -0 "-$group" 2>/dev/null && return 0; done; return 1; }
for pause in 0.1 0.2 0.3 0.4; do
  alive || exit 0
  sleep $pause 2>/dev/null || sleep 1
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
`;

/** A shell that ends at once, again and again, is not worth a loop. */
const maxRestarts = 10;

/** The watchdog of this process, started when it is first needed. */
export class Watchdog {
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;
  #restarts = 0;

  /** Watches the process group `group`. Returns false when there is no shell to watch it. */
  add(group: number): boolean {
    this.#groups.add(group);
    if (this.#shell === undefined) return this.#start();
    return this.#tell(`+${group}\n`);
  }

  /** The group has ended and its number may be used again by others. */
  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`-${group}\n`);
  }

  /** Ends the watchdog, and by it what is still watched: what happens when this process ends. */
  close(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    this.#groups.clear();
    shell?.stdin?.end();
  }

  /** The process id of the shell, for tests. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  #start(): boolean {
    const shell = spawn("/bin/sh", ["-c", script], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
      detached: true,
    });
    shell.on("error", () => this.#ended(shell));
    shell.on("exit", () => this.#ended(shell));
    shell.stdin.on("error", () => {});
    if (shell.pid === undefined) return false;
    this.#shell = shell;
    // The watchdog must not keep the host's event loop alive.
    shell.unref();
    if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
    return this.#tell([...this.#groups].map((group) => `+${group}\n`).join(""));
  }

  /** Somebody killed the watchdog: another takes its place while there is something to watch. */
  #ended(shell: ChildProcess): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    this.#restarts += 1;
    if (this.#groups.size > 0 && this.#restarts <= maxRestarts) this.#start();
  }

  #tell(text: string): boolean {
    const stdin = this.#shell?.stdin;
    if (stdin === null || stdin === undefined || stdin.destroyed) return false;
    stdin.write(text);
    return true;
  }
}

/** One watchdog for all plugins of this process. */
export const watchdog: Watchdog = new Watchdog();
