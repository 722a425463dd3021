/** The reflection service: tells a peer the schemas of services. */

import { GetDescriptorsRequest, GetDescriptorsResponse } from "@anyplug/protocol/anyplug/reflection/v1/reflection.js";
import { Code } from "./code.js";
import { defineService, type ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import type { Implementation } from "./router.js";
import { mergeDescriptorSets } from "./schema.js";
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

/** Returns the service that describes `served`, which is also what it tells when no service is named, and `used`. */
export function reflection(served: readonly ServiceDescriptor[], used: readonly ServiceDescriptor[]): Implementation {
  const known = [...served, ...used];
  const find = (name: string): ServiceDescriptor => {
    const service = known.find((one) => one.name === name);
    if (service !== undefined) return service;
    throw new AnyplugError(Code.NotFound, `${name} is neither served nor used here`);
  };
  const handler: ReflectionHandler = {
    getDescriptors({ services: names }) {
      const chosen = names.length === 0 ? served : names.map(find);
      return { fileDescriptorSet: mergeDescriptorSets(chosen.map((service) => service.descriptorSet())) };
    },
  };
  return { service: Reflection, handler };
}
