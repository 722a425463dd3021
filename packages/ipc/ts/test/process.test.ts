/** Child processes: how they are started, captured and ended. */

import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnyplugError, type ChannelReceiver, codeName } from "@anyplug/core";
import { describe, expect, test } from "@jest/globals";
import { type PluginProcess, type ProcessOptions, processChannel, startProcess } from "../src/index.js";

const lines: string[] = [];
let told: () => void = () => {};

function shell(script: string, options: Partial<ProcessOptions> = {}): ProcessOptions {
  lines.length = 0;
  const onLine = (stream: string, line: string) => {
    lines.push(`${stream}: ${line}`);
    told();
  };
  return { name: "test", command: ["/bin/sh", "-c", script], cwd: "/", onLine, ...options };
}

/** Waits for that line. */
async function printed(line: string): Promise<void> {
  while (!lines.includes(line)) {
    await new Promise<void>((resolve) => {
      told = resolve;
    });
  }
}

/** Opens the channel, writes `text`, and waits for its end: returns what came and why it ended. */
async function talk(process: PluginProcess, text = ""): Promise<{ text: string; reason: AnyplugError }> {
  const channel = processChannel(process);
  let received = "";
  const reason = await new Promise<AnyplugError>((closed) => {
    const data = (bytes: Uint8Array) => {
      received += Buffer.from(bytes).toString("latin1");
    };
    const receiver: ChannelReceiver = { data, drain: () => {}, closed };
    channel.open(receiver);
    channel.write([Buffer.from(text)]);
  });
  return { text: received, reason };
}

async function refusal(options: ProcessOptions): Promise<string> {
  const error = await startProcess(options).catch((reason: unknown) => reason);
  if (!(error instanceof AnyplugError)) throw new Error("it was not refused");
  return `${codeName(error.code)}: ${error.message}`;
}

describe("a process", () => {
  test("has the channel on descriptors of its own", async () => {
    const script = 'echo out; read -r line <&3; echo "got $line on $ANYPLUG_CHANNEL" >&3; echo err >&2';
    const process = await startProcess(shell(script));
    expect((await talk(process, "hello\n")).text).toBe("got hello on fd:3,3\n");
    expect(await process.exited).toEqual({ status: 0, signal: undefined });
    expect(lines.sort()).toEqual(["stderr: err", "stdout: out"]);
  });

  test("has it on stdin and stdout where that is asked for, behind what it printed", async () => {
    const script = `echo starting; printf 'anyplug\\n\\000\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000\\000'; read -r line; echo "got $line on $ANYPLUG_CHANNEL"`;
    const process = await startProcess(shell(script, { stdio: true }));
    const { text } = await talk(process, "hello\n");
    expect(text.slice(20)).toBe("got hello on stdio\n");
    expect(lines).toEqual(["stdout: starting"]);
  });

  test("has an empty stdin", async () => {
    const process = await startProcess(shell("cat; echo end"));
    await process.exited;
    expect(lines).toEqual(["stdout: end"]);
  });

  test("has no descriptor that the host opened", async () => {
    const inherited = targets("/proc/self/fd");
    const folder = mkdtempSync(join(tmpdir(), "ipc-"));
    const own = openSync(join(folder, "own"), "w");
    const other = await startProcess(shell("exec cat"));
    const opened = targets("/proc/self/fd").filter((target) => !inherited.includes(target));
    expect(opened).toContain(join(folder, "own"));
    const process = await startProcess(shell("exec sleep 100000"));
    const seen = targets(`/proc/${process.pid}/fd`);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(seen.filter((target) => opened.includes(target))).toEqual([]);
    closeSync(own);
    await Promise.all([process.kill(), other.kill()]);
  });

  test("gets the environment that was asked for and no more", async () => {
    globalThis.process.env["ANYPLUG_TEST_TOKEN"] = "secret";
    const process = await startProcess(shell("exec env", { env: { GIVEN: "1 2" }, inheritEnv: ["ANYPLUG_TEST_NONE"] }));
    await process.exited;
    const names = lines.map((line) => line.slice("stdout: ".length));
    expect(names).toContain("GIVEN=1 2");
    const others = names.filter(
      (name) => !/^(PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|GIVEN|ANYPLUG_CHANNEL|PWD|SHLVL|_)=/.test(name),
    );
    expect(others).toEqual([]);
  });

  test("that exits is told of at once, with its last lines", async () => {
    const process = await startProcess(shell("for i in $(seq 100); do echo line $i >&2; done; exit 9"));
    const { reason } = await talk(process);
    expect(codeName(reason.code)).toBe("UNAVAILABLE");
    expect(reason.message).toMatch(/^plugin "test" exited with status 9; its last lines on stderr:\n {2}line 81\n/);
    expect(reason.message).toMatch(/line 100$/);
    expect(lines).toHaveLength(100);
  });

  test("takes what it started along when it ends", async () => {
    const process = await startProcess(shell("sleep 100000 & echo $!; exit 0"));
    await process.exited;
    // The system tells nobody but its parent.
    while (isRunning(Number(lines[0]?.split(" ")[1]))) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("that ignores the end of its channel and TERM is killed", async () => {
    const process = await startProcess(shell("trap '' TERM; echo ready; while :; do :; done"));
    await printed("stdout: ready");
    expect(await process.stop()).toEqual({ status: undefined, signal: "SIGKILL" });
  });

  test("that heeds TERM is not killed", async () => {
    let status: number | undefined;
    // On a busy machine the two seconds that it has may be over before it is run at all.
    for (let tries = 0; tries < 10 && status === undefined; tries += 1) {
      const process = await startProcess(shell("trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done"));
      await printed("stdout: ready");
      ({ status } = await process.stop());
    }
    expect(status).toBe(4);
  });

  test("that has ended is still read to the end, however late this side looks and listens", async () => {
    const process = await startProcess(shell("head -c 150000 /dev/zero >&3; setsid sleep 100000 & echo $!; exit 5"));
    const busy = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    const channel = processChannel(process);
    busy();
    await process.exited;
    busy();
    let length = 0;
    const closed = new Promise<AnyplugError>((resolve) => {
      const data = (bytes: Uint8Array) => {
        length += bytes.length;
        busy();
      };
      channel.open({ data, drain: () => {}, closed: resolve });
    });
    expect((await closed).message).toContain("exited with status 5");
    expect(length).toBe(150_000);
    globalThis.process.kill(Number(lines[0]?.split(" ")[1]), "SIGKILL");
  });

  test("whose channel a stranger holds open is over all the same", async () => {
    // setsid leaves the group: nothing but a container keeps hold of such a process.
    const process = await startProcess(shell("setsid sleep 100000 & echo $!; exit 5"));
    const { reason } = await talk(process);
    expect(reason.message).toBe(
      'plugin "test" exited with status 5; its last lines on stdout:\n  '.concat(String(lines[0]?.slice(8))),
    );
    globalThis.process.kill(Number(lines[0]?.split(" ")[1]), "SIGKILL");
  });
});

describe("a program that cannot be started", () => {
  test("is named with where it was looked for", async () => {
    const options = (program: string) => shell("", { command: [program], env: { PATH: "/bin:/usr/bin" } });
    expect(await refusal(options("no-such-program"))).toBe(
      'NOT_FOUND: cannot start plugin "test": program "no-such-program" was not found (looked in /bin, /usr/bin); install it, or add its folder to PATH',
    );
    expect(await refusal(options("/no/such/program"))).toBe(
      'NOT_FOUND: cannot start plugin "test": program /no/such/program does not exist; build it, or name another command',
    );
    expect(await refusal(options("/etc/passwd"))).toBe(
      'PERMISSION_DENIED: cannot start plugin "test": program /etc/passwd is not executable; set its mode with chmod +x',
    );
    expect(await refusal(shell("", { cwd: "/no/such/folder" }))).toBe(
      'NOT_FOUND: cannot start plugin "test": its working folder /no/such/folder does not exist',
    );
    expect(await refusal(shell("", { command: [] }))).toBe(
      'INVALID_ARGUMENT: cannot start plugin "test": its command is empty',
    );
    expect(await refusal(shell("a\0b"))).toMatch(/^INVALID_ARGUMENT: cannot start plugin "test": /);
  });

  test("is named with its interpreter when that is missing", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "ipc-")), "script");
    writeFileSync(path, "#!/no/such/interpreter -x\n");
    chmodSync(path, 0o755);
    expect(await refusal(shell("", { command: [path] }))).toBe(
      `NOT_FOUND: cannot start plugin "test": ${path} is there, but its interpreter /no/such/interpreter does not exist; install it`,
    );
  });
});

test("two hundred processes leave no descriptor and no zombie", async () => {
  const round = async () => {
    const process = await startProcess(shell("echo x; exec cat <&3"));
    const channel = processChannel(process);
    const closed = new Promise((resolve) => channel.open({ data: () => {}, drain: () => {}, closed: resolve }));
    channel.close();
    await closed;
    await process.stop();
    return process.pid;
  };
  await round();
  const before = descriptors();
  const pids = [];
  for (let i = 0; i < 200; i++) pids.push(await round());
  // The system may tell of the last ends a moment later.
  while (descriptors() > before) await new Promise((resolve) => setImmediate(resolve));
  expect(pids.filter((pid) => readdirSync("/proc").includes(String(pid)))).toEqual([]);
});

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** What the descriptors in that folder are. */
function targets(folder: string): string[] {
  return readdirSync(folder).flatMap((descriptor) => {
    try {
      return [readlinkSync(join(folder, descriptor))];
    } catch {
      // It was that of the listing itself.
      return [];
    }
  });
}

/** Whether it runs; what its parent has still to collect does not. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
