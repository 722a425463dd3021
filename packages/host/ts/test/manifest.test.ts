import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Code } from "@anyplug/core";
import { describe, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { type Manifest, parseManifest, readManifest } from "../src/manifest.js";

const least = { name: "eliza-classic", version: "1.0.0", language: "python" };
const root = join(import.meta.dirname, "../../../..");
const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const accepted: readonly { name: string; manifest: object; expected: object }[] = readJson(
  "test/vectors/manifest/accepted.json",
);
const refused: readonly { name: string; manifest: object; error: string }[] = readJson(
  "test/vectors/manifest/refused.json",
);
const paths: readonly {
  name: string;
  files: Record<string, string | { link: string }>;
  interop: object;
  error: string | null;
}[] = readJson("test/vectors/manifest/paths.json");

describe("plugin.json", () => {
  test.each(accepted)("is read: $name", ({ manifest, expected }) => {
    expect(summary(parseManifest(JSON.stringify(manifest)))).toEqual({ ...nothing, ...expected });
  });

  test.each(refused)("is refused: $name", ({ manifest, error }) => {
    expect(() => parseManifest(JSON.stringify(manifest))).toThrow(
      expect.objectContaining({ message: error, code: Code.InvalidArgument }),
    );
  });

  test.each(paths)("has paths: $name", ({ files, interop, error }) => {
    const folder = join(mkdtempSync(join(tmpdir(), "manifest-")), "plugin");
    mkdirSync(join(folder, "../elsewhere"), { recursive: true });
    writeFileSync(join(folder, "../elsewhere/x.js"), "");
    const all: typeof files = { "plugin.json": JSON.stringify({ ...least, interop }), ...files };
    for (const [name, content] of Object.entries(all)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      if (typeof content === "string") writeFileSync(join(folder, name), content);
      else symlinkSync(content.link, join(folder, name));
    }
    if (error === null) expect(readManifest(folder).folder).toBe(folder);
    else expect(() => readManifest(folder)).toThrow(`${join(folder, "plugin.json")}: ${error}`);
  });

  test("that is not JSON is refused with its path", () => {
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    writeFileSync(join(folder, "plugin.json"), "{ name: 1 }");
    expect(() => readManifest(folder)).toThrow(`${join(folder, "plugin.json")}: is not JSON`);
  });

  test("that is not there is named", () => {
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    expect(() => readManifest(join(folder, "none"))).toThrow(`there is no plugin at ${join(folder, "none")}`);
    expect(() => readManifest(folder)).toThrow(`the folder ${folder} has no plugin.json`);
  });
});

describe("The JSON Schema for editors", () => {
  const validate = new Ajv({ strict: true }).compile(readJson("packages/anyplug/ts/plugin.schema.json"));

  // An editor shows the one spelling and no nulls: it asks for more than a host does.
  test.each(accepted.filter(({ name }) => !name.includes("null")))("takes what a host takes: $name", ({ manifest }) => {
    expect(validate(manifest) ? undefined : validate.errors).toBeUndefined();
  });

  test.each(refused)("refuses what a host refuses, at the same member: $name", ({ manifest, error }) => {
    expect(validate(manifest)).toBe(false);
    const [{ instancePath = "", params = {} } = {}] = validate.errors ?? [];
    const missing = "missingProperty" in params ? `.${params["missingProperty"]}` : "";
    const path = instancePath.replace(/\/(\d+)/g, "[$1]").replaceAll("/", ".") + missing;
    expect(error.split(/: | is missing/)[0]).toBe(path.slice(1));
  });
});

const nothing = {
  dependencies: [],
  capabilities: [],
  transports: [],
  actions: [],
  providers: [],
  evaluators: [],
  services: [],
  routes: [],
  events: [],
};

/** What the vectors say of a manifest. */
function summary({ name, language, interop, dependencies, capabilities, transports, ...agent }: Manifest): object {
  const names = (list: readonly { name: string }[]) => list.map((each) => each.name);
  return {
    ...{ name, language, dependencies, capabilities, transports },
    ...(interop?.ipcCommand && { ipcCommand: interop.ipcCommand }),
    ...(interop?.ipcPort && { ipcPort: interop.ipcPort }),
    actions: names(agent.actions),
    providers: names(agent.providers),
    evaluators: names(agent.evaluators),
    services: agent.services.map(({ type }) => type),
    routes: agent.routes.map(({ method, path }) => `${method} ${path}`),
    events: [...agent.events.keys()],
  };
}
