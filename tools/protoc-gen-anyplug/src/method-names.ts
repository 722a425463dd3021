import { Problems } from "./refusal.js";
import type { Service } from "./service.js";
import { placeOf } from "./source.js";

/**
 * Names a service's methods in one language: by its case, and where two methods would get the same name (`GetURL` and
 * `GetUrl` in Python), each by its name in the schema.
 *
 * @param adapt changes the case
 * @param safe changes a name that the language does not allow there
 * @returns names in the order of the methods
 * @throws Refusal when methods have one name all the same: it tells of all that do
 */
export function nameMethods(
  service: Service,
  adapt: (name: string) => string,
  safe: (name: string) => string,
): string[] {
  const adapted = service.methods.map((method) => adapt(method.name));
  const names = service.methods.map((method, index) => {
    const name = adapted[index] ?? "";
    const unique = name !== "" && adapted.filter((other) => other === name).length === 1;
    return safe(unique ? name : method.name);
  });
  const problems = new Problems();
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    const [method, other] = [service.methods[index], service.methods[first]];
    if (first === index || method === undefined || other === undefined) continue;
    problems.add(
      `${placeOf(method.desc)}: methods ${other.name} and ${method.name} of ${service.name} would both be called ` +
        `${name}. Rename one of them.`,
    );
  }
  problems.throwIfAny();
  return names;
}
