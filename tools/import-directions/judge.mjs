import { isBuiltin } from "node:module";
import { CODEGEN_ONLY, layerOf, WITHOUT_NODE } from "./directions.mjs";

/**
 * Holds imports against the table.
 *
 * @param {{ file: string, specifier: string, target?: string, samePackage?: boolean, declared?: boolean,
 *   wholePackage?: boolean }[]} imports each with the file it is in, what it names, the folder of ours it leads to
 *   (relative to the root, like the file; none if it is not ours), whether that is the file's own package, whether the
 *   package's manifest declares it, and whether it is a dependency of a manifest, on a whole package
 * @returns {string[]} a sentence for each that points the wrong way
 */
export function judge(imports) {
  return imports.flatMap((one) => {
    const from = layerOf(one.file);
    const problem = from && problemOf(one, from);
    return problem ? [`${one.file}: imports ${one.specifier}, ${problem}`] : [];
  });
}

function problemOf({ specifier, target, declared, samePackage, wholePackage }, from) {
  if (target === undefined && isBuiltin(specifier)) {
    return WITHOUT_NODE.includes(from.name) ? `but ${from.name} runs in browsers, where nothing of Node is` : undefined;
  }
  if (samePackage) return undefined;
  const to = target && layerOf(target);
  if (to !== undefined && specifier.startsWith(".")) {
    return "which lies in another package: import that package by its name";
  }
  if (declared === false) return "which its manifest does not declare as a dependency";
  if (to === undefined || from.mayImport === "everything") return undefined;
  if (!from.mayImport.includes(to.name)) {
    const allowed = from.mayImport.join(", ") || "nothing of ours";
    return `but ${from.name} may import ${allowed}, not ${to.name}`;
  }
  const isNarrow = from.name === CODEGEN_ONLY.layer && CODEGEN_ONLY.of.includes(to.name);
  if (isNarrow && !wholePackage && !CODEGEN_ONLY.allowed.test(specifier)) {
    return "but of the core generated code imports codegen/v1 alone";
  }
  return undefined;
}
