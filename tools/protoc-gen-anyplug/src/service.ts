import {
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  isMessage,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { fingerprintOf } from "./fingerprint.js";
import { commentOf } from "./source.js";
import type { StubNames } from "./stub-names.js";

/** Which sides of a method stream; the names that descriptors use in every language. */
export type MethodKind = "unary" | "server_stream" | "client_stream" | "bidi_stream";

/** A service as the three languages write it. */
export interface Service {
  readonly desc: DescService;
  /** The full name, such as `eliza_classic.v1.ElizaService`. */
  readonly name: string;
  /** The name that stubs are made of, such as `Eliza`. */
  readonly stub: string;
  readonly fingerprint: string;
  readonly comment: readonly string[];
  readonly deprecated: boolean;
  readonly methods: readonly Method[];
}

/** A method of a service. */
export interface Method {
  readonly desc: DescMethod;
  /** The name in the schema, such as `Reply`. */
  readonly name: string;
  readonly kind: MethodKind;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly comment: readonly string[];
  readonly deprecated: boolean;
  readonly idempotent: boolean;
  /** Milliseconds; 0: none. */
  readonly defaultTimeoutMs: number;
  /** Empty: none. */
  readonly requiredCapability: string;
}

const kinds = {
  unary: "unary",
  server_streaming: "server_stream",
  client_streaming: "client_stream",
  bidi_streaming: "bidi_stream",
} as const;

/** The services of a file, in the order of the schema. */
export function servicesOf(file: DescFile, registry: Registry, names: StubNames): Service[] {
  return file.services.map((desc) => ({
    desc,
    name: desc.typeName,
    stub: names.of(desc),
    fingerprint: fingerprintOf(desc),
    comment: commentOf(desc),
    deprecated: desc.deprecated,
    methods: desc.methods.map((method) => methodOf(method, registry)),
  }));
}

function methodOf(desc: DescMethod, registry: Registry): Method {
  const ofService = optionReader(desc.parent, registry.getExtension("anyplug.options.v1.service"));
  const ofMethod = optionReader(desc, registry.getExtension("anyplug.options.v1.method"));
  return {
    desc,
    name: desc.name,
    kind: kinds[desc.methodKind],
    input: desc.input,
    output: desc.output,
    comment: commentOf(desc),
    deprecated: desc.deprecated,
    // protobuf's own option says the same, for tools that know only that one.
    idempotent:
      ofMethod("idempotent") === true || desc.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
    // A method that says 0 or nothing means it; one that does not say is as its service says.
    defaultTimeoutMs: Number(ofMethod("default_timeout_ms") ?? ofService("default_timeout_ms") ?? 0),
    requiredCapability: String(ofMethod("required_capability") ?? ofService("required_capability") ?? ""),
  };
}

/** Reads the fields of a custom option that are set, by their names. A schema that does not import the options has none. */
function optionReader(
  desc: DescService | DescMethod,
  extension: DescExtension | undefined,
): (field: string) => unknown {
  const value = extension === undefined ? undefined : getOption(desc, extension);
  if (extension?.message === undefined || !isMessage(value)) return () => undefined;
  const message = reflect(extension.message, value);
  return (name) => {
    const field = message.fields.find((candidate) => candidate.name === name);
    return field === undefined || !message.isSet(field) ? undefined : message.get(field);
  };
}
