/** Code from a schema of a thousand messages with fifteen fields each, in ten files. */

const targets = { typescript: ["TypeScript", "ts"], python: ["Python", "python"], rust: ["Rust", "rust"] };

/** Returns a group for each language. What runs is Node's for all of them. */
export function codegenGroups() {
  return Object.entries(targets).map(([language, [name, target]]) => ({
    section: "codegen",
    language,
    name: `Code from a schema, ${name}`,
    tables: [generated(language, name, target), ...(language === "python" ? [imported()] : [])],
  }));
}

function generated(language, name, target) {
  return {
    id: `codegen.${language}`,
    title: `${name}: buf generate of 1,000 messages`,
    unit: "s",
    better: "lower",
    rows: [
      row("anyplug", "protoc-gen-anyplug", "ours", target, "generate"),
      row("build", "buf build, no code", "limit", "build", "generate"),
    ],
    limit: "build",
    aims: [{ row: "anyplug", bound: 5, text: "under 5 s" }],
  };
}

function imported() {
  return {
    id: "codegen.python.import",
    title: "Python: import of 1,000 messages",
    unit: "s",
    better: "lower",
    rows: [row("anyplug", "import", "ours", "python", "import")],
    aims: [{ row: "anyplug", bound: 0.3, text: "under 0.3 s" }],
  };
}

function row(id, label, kind, what, run) {
  return { id, label, kind, language: "typescript", contender: `codegen:${what}`, run };
}
