import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Options } from "../options.js";
import { keepsUnknown } from "./names.js";

/** Which messages lie within themselves, and which traits a struct can derive. */
export class Traits {
  readonly #components = new Map<DescMessage, DescMessage>();
  readonly #copy = new Map<DescMessage, boolean>();
  readonly #eq = new Map<DescMessage, boolean>();

  constructor(readonly options: Options) {}

  /** Whether a field needs a box: its message holds, at some depth, one like that which the field is of. */
  isBoxed(field: DescField): boolean {
    return field.fieldKind === "message" && this.#component(field.message) === this.#component(field.parent);
  }

  /** Whether a message is `Copy`: nothing but numbers. */
  isCopy(message: DescMessage): boolean {
    return this.#all(message, this.#copy, (field) => this.canCopy(field), !keepsUnknown(message, this.options));
  }

  /** Whether a message is `Eq` and `Hash`: no floating-point numbers, and nothing of unknown depth. */
  isEq(message: DescMessage): boolean {
    return this.#all(message, this.#eq, (field) => this.canEq(field), true);
  }

  canCopy(field: DescField): boolean {
    if (field.fieldKind === "list" || field.fieldKind === "map") return false;
    if (field.message !== undefined) return !this.isBoxed(field) && this.isCopy(field.message);
    return field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES;
  }

  canEq(field: DescField): boolean {
    if (field.fieldKind === "map") return false;
    if (field.message !== undefined) {
      return field.fieldKind !== "list" && !this.isBoxed(field) && this.isEq(field.message);
    }
    return field.scalar !== ScalarType.DOUBLE && field.scalar !== ScalarType.FLOAT;
  }

  #all(
    message: DescMessage,
    known: Map<DescMessage, boolean>,
    test: (field: DescField) => boolean,
    otherwise: boolean,
  ): boolean {
    let result = known.get(message);
    if (result === undefined) {
      result = otherwise && message.fields.every(test);
      known.set(message, result);
    }
    return result;
  }

  /** The first found of the messages that lie within one another: Tarjan's components, without recursion of ours. */
  #component(start: DescMessage): DescMessage {
    const known = this.#components.get(start);
    if (known !== undefined) return known;
    const order = new Map<DescMessage, number>();
    const low = new Map<DescMessage, number>();
    const open: DescMessage[] = [];
    const path: { message: DescMessage; next: Iterator<DescMessage> }[] = [];
    const enter = (message: DescMessage) => {
      order.set(message, order.size);
      low.set(message, order.size - 1);
      open.push(message);
      path.push({ message, next: singular(message).values() });
    };
    const lower = (message: DescMessage, value: number) => low.set(message, Math.min(low.get(message) ?? value, value));
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { value: target, done } = top.next.next();
      if (done !== true) {
        if (this.#components.has(target)) continue;
        const seen = order.get(target);
        if (seen === undefined) enter(target);
        else lower(top.message, seen);
        continue;
      }
      path.pop();
      const reached = low.get(top.message) ?? 0;
      const above = path.at(-1);
      if (above !== undefined) lower(above.message, reached);
      if (reached !== order.get(top.message)) continue;
      for (const message of open.splice(open.indexOf(top.message))) this.#components.set(message, top.message);
    }
    return this.#components.get(start) ?? start;
  }
}

/** The messages that lie in a message itself, not in a list or a map. */
function singular(message: DescMessage): DescMessage[] {
  return message.fields.flatMap((field) => (field.fieldKind === "message" ? [field.message] : []));
}
