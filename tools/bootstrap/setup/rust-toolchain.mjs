import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The Rust toolchain, components and targets of rust-toolchain.toml, new enough for `rust-version` in Cargo.toml. */
export function rustToolchain(root) {
  const wanted = readWanted(root);
  return {
    name: "Rust toolchain",
    why: [wanted.channel, ...wanted.components, ...wanted.targets].join(", "),
    isCurrent: () => lacks(wanted).length === 0 && isNewEnough(wanted),
    run: async ({ command }) => {
      if (lacks(wanted).length > 0) {
        const components = wanted.components.flatMap((name) => ["--component", name]);
        const targets = wanted.targets.flatMap((name) => ["--target", name]);
        const options = ["--profile", "minimal", "--no-self-update", ...components, ...targets];
        await command("rustup", ["toolchain", "install", wanted.channel, ...options]);
      }
      if (!isNewEnough(wanted)) await command("rustup", ["update", "--no-self-update", wanted.channel]);
      if (!isNewEnough(wanted)) {
        throw new Error(`the ${wanted.channel} toolchain of rustup is older than Rust ${wanted.version}`);
      }
    },
  };
}

function readWanted(root) {
  const toolchain = readFileSync(join(root, "rust-toolchain.toml"), "utf8");
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
  const list = (key) => new RegExp(`^${key}\\s*=\\s*\\[([^\\]]*)\\]`, "m").exec(toolchain)?.[1] ?? "";
  const strings = (text) => [...text.matchAll(/"([^"]+)"/g)].map((match) => match[1]);
  return {
    channel: /^channel\s*=\s*"([^"]+)"/m.exec(toolchain)?.[1] ?? "stable",
    components: strings(list("components")),
    targets: strings(list("targets")),
    version: /^rust-version\s*=\s*"([^"]+)"/m.exec(manifest)?.[1] ?? "1.0",
  };
}

/** Returns the components and targets that rustup has not installed; all of them if it has not got the toolchain. */
function lacks({ channel, components, targets }) {
  const installed = (kind) => rustup([kind, "list", "--installed", "--toolchain", channel]).split("\n");
  const has = (names, name) => names.some((line) => line === name || line.startsWith(`${name}-`));
  const installedComponents = installed("component");
  const installedTargets = installed("target");
  return [
    ...components.filter((name) => !has(installedComponents, name)),
    ...targets.filter((name) => !installedTargets.includes(name)),
  ];
}

function isNewEnough({ channel, version }) {
  const found = /rustc (\d+)\.(\d+)/.exec(rustup(["run", channel, "rustc", "--version"]));
  const [major, minor] = version.split(".").map(Number);
  return found !== null && (Number(found[1]) > major || (Number(found[1]) === major && Number(found[2]) >= minor));
}

function rustup(args) {
  const { status, stdout } = spawnSync("rustup", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return status === 0 ? stdout : "";
}
