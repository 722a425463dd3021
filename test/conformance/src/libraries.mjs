/**
 * The C and C++ libraries that the conformance runner needs, where the machine's own are older: taken from the next release of
 * Debian by apt, with a configuration, lists and archive of its own in the project's cache. Nothing is installed.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);
const suite = "trixie";
const packages = ["libc6", "libstdc++6", "libgcc-s1"];
const timeoutMs = 90_000;

/**
 * Returns the folder of the libraries, in which the loader `ld-linux-x86-64.so.2` lies too.
 *
 * @param {string} cache the project's cache
 * @param {(text: string) => void} say told what is being done
 * @throws Error that says why they cannot be had
 */
export async function libraries(cache, say) {
  const place = join(cache, `glibc-${suite}`);
  const folder = join(place, "root/usr/lib/x86_64-linux-gnu");
  if (existsSync(join(place, "complete"))) return folder;
  const source = debianSource();
  if (source === undefined) {
    throw new Error(
      `glibc is older than the runner needs, and there is no source of Debian here to take ${suite}'s from`,
    );
  }
  // Whoever is first puts it in place; one that was interrupted leaves nothing behind that counts.
  const work = `${place}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  try {
    const environment = await configure(work, source);
    say(`Reading the list of Debian ${suite} (10 MB, once)`);
    await command("apt-get", ["update"], work, environment);
    say(`Fetching ${packages.join(", ")} of Debian ${suite} (4 MB, once)`);
    await command("apt-get", ["download", ...packages], work, environment);
    for (const file of readdirSync(work).filter((name) => name.endsWith(".deb"))) {
      await command("dpkg-deb", ["-x", file, "root"], work, environment);
    }
    rmSync(join(work, "state"), { recursive: true, force: true });
    writeFileSync(join(work, "complete"), "");
    rmSync(place, { recursive: true, force: true });
    renameSync(work, place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** Writes apt's configuration: nothing of the machine's but how it gets to the network, and whom it trusts. */
async function configure(work, source) {
  for (const folder of ["state/lists/partial", "archives/partial", "etc/sources", "etc/none", "root"]) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  writeFileSync(join(work, "etc/sources", source.name), source.text);
  const machine = await command("apt-config", ["dump"], work, process.env).catch(() => ({ stdout: "" }));
  const acquire = machine.stdout.split("\n").filter((line) => /^Acquire::(http|https|ftp|Check-)/.test(line));
  const settings = [
    ...acquire,
    `Dir::Etc::parts "${work}/etc/none";`,
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${work}/etc/sources";`,
    `Dir::Etc::preferencesparts "${work}/etc/none";`,
    'Dir::Etc::trusted "/etc/apt/trusted.gpg";',
    'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";',
    'Dir::Etc::netrc "/etc/apt/auth.conf";',
    'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
    `Dir::State "${work}/state";`,
    'Dir::State::status "/dev/null";',
    `Dir::Cache "${work}";`,
    'Acquire::Languages "none";',
    'Acquire::Retries "1";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
    'APT::Sandbox::User "root";',
    'APT::Get::List-Cleanup "false";',
  ];
  writeFileSync(join(work, "apt.conf"), `${settings.join("\n")}\n`);
  return { ...process.env, APT_CONFIG: join(work, "apt.conf"), LC_ALL: "C" };
}

/** The machine's own source of Debian with its suite changed, in the form of the file it was found in; undefined where there is none. */
function debianSource() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined) return undefined;
  const parts = existsSync("/etc/apt/sources.list.d") ? readdirSync("/etc/apt/sources.list.d") : [];
  const files = ["/etc/apt/sources.list", ...parts.map((name) => join("/etc/apt/sources.list.d", name))];
  const texts = files.filter((file) => /\.(list|sources)$/.test(file) && existsSync(file));
  for (const file of texts) {
    const text = readFileSync(file, "utf8");
    const found = file.endsWith(".sources") ? stanza(text, codename) : line(text, codename);
    if (found !== undefined) return { name: file.endsWith(".sources") ? "debian.sources" : "debian.list", text: found };
  }
  return undefined;
}

/** @returns {string | undefined} */
export function stanza(text, codename) {
  const suites = /^Suites:.*$/m;
  const found = text.split(/\n\s*\n/).find((one) => {
    const names = suites.exec(one)?.[0].split(/\s+/) ?? [];
    return names.includes(codename) && /^Types:.*\bdeb\b/m.test(one) && !/^Enabled:\s*no/im.test(one);
  });
  return found
    ?.replace(suites, `Suites: ${suite}`)
    .replace(/^Components:.*$/m, "Components: main")
    .concat("\n");
}

/** @returns {string | undefined} */
export function line(text, codename) {
  const match = new RegExp(`^(deb\\s+(?:\\[[^\\]]*\\]\\s+)?\\S+\\s+)${codename}\\s.*\\bmain\\b.*$`, "m").exec(text);
  return match ? `${match[1]}${suite} main\n` : undefined;
}

async function command(program, args, cwd, env) {
  try {
    return await run(program, args, { cwd, env, timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 64 << 20 });
  } catch (error) {
    const why = error.killed ? `took longer than ${timeoutMs / 1000} s` : (error.stderr || error.message).trim();
    throw new Error(`${program} ${args.join(" ")}: ${why}`);
  }
}
