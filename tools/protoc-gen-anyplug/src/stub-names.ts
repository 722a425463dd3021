import type { DescEnum, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { betterprotoClassName, upperCamelCase } from "./casing.js";
import type { Problems } from "./refusal.js";
import { placeOf } from "./source.js";

/** What a stub name is followed by in one language or another. */
const suffixes = ["", "Client", "SyncClient", "Handler"];

/** Names that one of the languages does not let a type have, or that generated code needs for itself. */
const reserved = [
  ...["Self", "None", "True", "False", "Promise", "AsyncIterable", "Iterable", "Object"],
  ...["Client", "SyncClient", "Handler"],
];

/** Stub names: the same in all three languages, and free of collisions in each. */
export interface StubNames {
  /** The name of a service's stubs: `Eliza` for `ElizaService`. */
  of(service: DescService): string;
}

/**
 * Names the services of all packages. A trailing `Service` is dropped; where that would collide with a message, an enum
 * or another stub of the package, the name is kept whole; where even that collides it is a problem.
 */
export function nameStubs(files: Iterable<DescFile>, problems: Problems): StubNames {
  const names = new Map<string, string>();
  for (const members of byPackage(files)) {
    const taken = new Set(reserved);
    for (const file of members) {
      for (const type of [...file.messages, ...file.enums]) addNames(type, taken);
    }
    // Whole names first: a service called Eliza is Eliza, whether or not there is an ElizaService as well.
    const services = members.flatMap((file) => file.services).sort((a, b) => order(a) - order(b) || compare(a, b));
    for (const service of services) {
      const name = candidates(service).find((candidate) => suffixes.every((suffix) => !taken.has(candidate + suffix)));
      if (name === undefined) {
        problems.add(collision(service));
        continue;
      }
      for (const suffix of suffixes) taken.add(name + suffix);
      names.set(service.typeName, name);
    }
  }
  return { of: (service) => names.get(service.typeName) ?? upperCamelCase(service.name) };
}

function candidates(service: DescService): string[] {
  const whole = upperCamelCase(service.name);
  const short = whole.replace(/Service$/, "");
  return [short, whole, `${whole}Service`].filter((name) => /^[A-Z]/.test(name));
}

function collision(service: DescService): string {
  return (
    `${placeOf(service)}: no stub can be named after service ${service.typeName}: ${candidates(service).join(", ")}, or one ` +
    `of them with ${suffixes.slice(1).join(", ")}, is a message, an enum or a stub of the package. Rename the service.`
  );
}

/** The names that a message or enum takes in the three languages: TypeScript's and Rust's, and Python's, which are flat. */
function addNames(type: DescMessage | DescEnum, taken: Set<string>): void {
  const local =
    type.file.proto.package === "" ? type.typeName : type.typeName.slice(type.file.proto.package.length + 1);
  if (type.parent === undefined) taken.add(local).add(upperCamelCase(local));
  taken.add(betterprotoClassName(local));
  if (type.kind !== "message") return;
  for (const nested of [...type.nestedMessages, ...type.nestedEnums]) addNames(nested, taken);
}

function order(service: DescService): number {
  return service.name.endsWith("Service") ? 1 : 0;
}

function compare(a: DescService, b: DescService): number {
  return a.typeName < b.typeName ? -1 : 1;
}

function byPackage(files: Iterable<DescFile>): Iterable<DescFile[]> {
  const packages = new Map<string, DescFile[]>();
  for (const file of files) {
    const members = packages.get(file.proto.package) ?? [];
    members.push(file);
    packages.set(file.proto.package, members);
  }
  return packages.values();
}
