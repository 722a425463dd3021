/** The tests that apply, from the suite's templates, and what is known of those that fail. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const lines = readFileSync(join(import.meta.dirname, "../known-failures.txt"), "utf8")
  .split("\n")
  .map((line) => line.replace(/#.*/, "").trim())
  .filter((line) => line !== "");

/** The files of templates of which none applies. */
const inapplicable = new Set(lines.filter((line) => line.endsWith(".yaml")));

/**
 * Returns the tests that are known to fail over a transport. In known-failures.txt a line names a test, behind the transport where it is not known to fail over all of them; or a file of
 * templates of which none applies. What is after # says why.
 *
 * @param {string} transport
 * @returns {string[]} patterns, as the runner takes them
 */
export function knownFailures(transport) {
  return lines
    .filter((line) => !inapplicable.has(line))
    .map((line) => /^(?:(\w+): )?(.+)$/.exec(line))
    .filter(([, only = transport]) => only === transport)
    .map(([, , pattern]) => pattern);
}

/**
 * Writes the templates that apply into a folder, and returns their paths.
 *
 * The runner leaves out those that are for clients or for servers alone where both are under test: it would play the other side itself, over HTTP. Here they are for both.
 */
export function writeTemplates(templates, folder) {
  const names = readdirSync(templates).filter((name) => name.endsWith(".yaml"));
  const gone = [...inapplicable].filter((name) => !names.includes(name));
  if (gone.length > 0) throw new Error(`known-failures.txt names what the suite does not have: ${gone.join(", ")}`);
  return names
    .filter((name) => !inapplicable.has(name))
    .map((name) => {
      const path = join(folder, name);
      writeFileSync(path, readFileSync(join(templates, name), "utf8").replace(/^mode:.*\n/m, ""));
      return path;
    });
}

/** Writes what the two sides can do, in the suite's words: one version, one protocol, one codec, for they are ours and not HTTP's. */
export function writeConfiguration(folder, hasTls) {
  const path = join(folder, hasTls ? "with-tls.yaml" : "without-tls.yaml");
  const features = {
    versions: ["HTTP_VERSION_2"],
    protocols: ["PROTOCOL_CONNECT"],
    codecs: ["CODEC_PROTO"],
    compressions: ["COMPRESSION_IDENTITY"],
    supportsH2c: true,
    supportsTls: hasTls,
    supportsTlsClientCerts: hasTls,
    supportsConnectGet: true,
    supportsMessageReceiveLimit: true,
  };
  // JSON is YAML.
  writeFileSync(path, JSON.stringify({ features }));
  return path;
}
