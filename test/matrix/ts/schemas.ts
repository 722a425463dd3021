/** Schemas that differ from the plugin's. */

import { Code, defineService, type MethodDescriptor, type ServiceDescriptor } from "@anyplug/core";
import { FailRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
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

  async a_message_that_cannot_be_parsed_ends_its_call(cell) {
    const plugin = await cell.plugin();
    const [echo] = Test.methods as [MethodDescriptor];
    // A part of EchoRequest is to be a message, and a part of FailRequest text.
    const request = plugin.link.unary({ ...echo, input: FailRequest }, { detail: "\u0007" });
    await failure(request, Code.Internal, "cannot be parsed");
    const response = plugin.link.unary({ ...echo, output: FailRequest }, { data: Uint8Array.of(0xff) });
    await failure(response, Code.Internal, "cannot be parsed");
    expect((await plugin.client(Test).echo({ text: "goes on" })).text).toBe("goes on");
  },

  async a_configuration_that_is_too_large_is_refused(cell) {
    // {"text":"…"}
    const loading = cell.load({ config: { text: "x".repeat(131_057 - 11) } });
    await failure(loading, Code.InvalidArgument, 'plugin "test-plugin" takes 131057 bytes', "131056");
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
