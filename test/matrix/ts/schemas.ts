/** Schemas that differ from the plugin's. */

import { Code, defineService, type MethodDescriptor, type ServiceDescriptor } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, failure } from "./behaviour.js";

export const schemas = {
  async an_incompatible_schema_is_refused(cell) {
    const int32 = 5;
    const loading = cell.load({ expect: [withTextOfType(int32)] });
    await failure(loading, Code.FailedPrecondition, "anyplug.test.v1.EchoRequest.text", "FIELD_TYPE");
  },

  async a_compatible_schema_is_accepted(cell) {
    const bytes = 12;
    const expected = withTextOfType(bytes);
    await using plugin = await cell.load({ expect: [expected] });
    expect((await plugin.client(expected).echo({ text: "fits" })).text).toBe("fits");
  },

  async a_plugin_can_refuse_its_configuration(cell) {
    const refusal = "line 7: a rule without an end";
    await failure(cell.load({ config: { refuse: refusal } }), Code.InvalidArgument, refusal);
  },
} satisfies Record<string, Behaviour>;

/** TestService as of another build, in which EchoRequest.text has another type: a number of google.protobuf.FieldDescriptorProto.Type. */
function withTextOfType(type: number): typeof Test {
  const descriptors = Buffer.from(Test.descriptorSet());
  const field = descriptors.indexOf("\n\x04text\x18\x01 \x01(\x09R\x04text", descriptors.indexOf("\n\x0bEchoRequest"));
  // After name, number and label.
  descriptors[field + 11] = type;
  const { name, methods } = Test;
  return defineService({
    name,
    fingerprint: "of another build",
    descriptorSet: descriptors.toString("base64"),
    methods,
  });
}

interface WithMissing {
  missing(request: object): Promise<object>;
}

/** A service with one more method than the plugin has, and a fingerprint that does not tell. */
export function withMethod(service: ServiceDescriptor, method: string): ServiceDescriptor<WithMissing> {
  const { name, fingerprint, methods } = service;
  const [like] = methods as [MethodDescriptor];
  const missing = { ...like, name: method, localName: method.toLowerCase() };
  return defineService({ name, fingerprint, descriptorSet: "", methods: [...methods, missing] });
}
