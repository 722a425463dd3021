/** The reflection service: tells a peer the schemas of services. */

import { FileDescriptorSet } from "@anyplug/protocol/google/protobuf/descriptor.js";
import {
  GetDescriptorsRequest,
  GetDescriptorsResponse,
} from "@anyplug/protocol/anyplug/reflection/v1/reflection.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import { defineService, type ServiceDescriptor } from "./descriptor.js";
import type { Implementation } from "./router.js";
import type { CallOptions } from "./transport.js";

/** The client of the reflection service. */
export interface ReflectionClient {
  getDescriptors(request: { services?: string[] }, options?: CallOptions): Promise<GetDescriptorsResponse>;
}

/** The handler of the reflection service. */
export interface ReflectionHandler {
  getDescriptors(request: GetDescriptorsRequest): Partial<GetDescriptorsResponse>;
}

/** The first service of every table. It belongs to the protocol, so it has no fingerprint and is not described. */
export const Reflection: ServiceDescriptor<ReflectionClient, ReflectionHandler> = defineService({
  name: "anyplug.reflection.v1.ReflectionService",
  fingerprint: "",
  descriptorSet: "",
  methods: [
    {
      name: "GetDescriptors",
      localName: "getDescriptors",
      kind: "unary",
      input: GetDescriptorsRequest,
      output: GetDescriptorsResponse,
      idempotent: true,
      defaultTimeoutMs: 10_000,
      requiredCapability: "",
    },
  ],
});

/** Returns the service that describes `services`; the first `served` of them are served, the others used. */
export function reflection(services: readonly ServiceDescriptor[], served: number): Implementation {
  const handler: ReflectionHandler = {
    getDescriptors({ services: names }) {
      const chosen = names.length === 0 ? services.slice(0, served) : services.filter(({ name }) => names.includes(name));
      return { fileDescriptorSet: mergeDescriptors(chosen.map((service) => service.descriptorSet())) };
    },
  };
  return { service: Reflection, handler };
}

/** Returns one set of the files of all sets; of files with one name the first. Imports stay before what imports them. */
function mergeDescriptors(sets: readonly Uint8Array[]): Uint8Array {
  if (sets.length === 1 && sets[0] !== undefined) return sets[0];
  const files = new Map<string, FileDescriptorSet["file"][number]>();
  for (const set of sets) {
    for (const file of decodeMessage(FileDescriptorSet, set).file) {
      if (!files.has(file.name ?? "")) files.set(file.name ?? "", file);
    }
  }
  return encodeMessage(FileDescriptorSet, { file: [...files.values()] });
}
