import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

const KINDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/**
 * The npm packages, as package-lock.json pins them. Nothing is remembered about them: npm's own record of what it
 * installed is compared with the lock file, so that an `npm install` by hand counts as well.
 */
export function npmPackages(root) {
  return {
    name: "npm packages",
    get why() {
      return `npm ci, because of ${outdatedNpm(root)}`;
    },
    isCurrent: () => outdatedNpm(root) === undefined,
    // The repository's .npmrc silences npm; here its errors are wanted.
    run: ({ command }) => command("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"]),
  };
}

/** Returns what of node_modules does not agree with package-lock.json, or undefined if nothing. */
export function outdatedNpm(root) {
  const locked = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (locked === undefined || installed === undefined) return "node_modules";
  for (const [path, entry] of Object.entries(locked)) {
    const problem = path.includes("node_modules/")
      ? outdatedPackage(root, path, entry, installed[path])
      : outdatedManifest(root, path, entry);
    if (problem) return path || "package.json";
  }
  return existsSync(join(root, "node_modules", ".bin")) ? undefined : "node_modules/.bin";
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function outdatedPackage(root, path, locked, installed) {
  if (installed === undefined) return !(locked.optional || locked.devOptional || locked.peer);
  const here = existsSync(join(root, path, "package.json"));
  return !here || locked.version !== installed.version || locked.integrity !== installed.integrity;
}

/** A package.json that was changed without its lock file: npm ci will say so. */
function outdatedManifest(root, path, locked) {
  const file = join(root, path, "package.json");
  if (!existsSync(file)) return true;
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  return KINDS.some((kind) => !isDeepStrictEqual(manifest[kind] ?? {}, locked[kind] ?? {}));
}
