//! Schemas that differ from the plugin's.

use std::sync::Arc;

use anyplug_core::{Client, Code, MethodDescriptor, Service, ServiceDescriptor, ServiceEntry};
use anyplug_generated::anyplug::test::v1::{EchoRequest, EchoResponse, FailRequest, Test};
use anyplug_host::LoadOptions;

use crate::cell::{Cell, failure};

/// Types of a field, by the numbers of google.protobuf.FieldDescriptorProto.Type.
const INT32: u8 = 5;
const BYTES: u8 = 12;
/// The place of Echo in TestService.
const ECHO: usize = 0;

pub(crate) async fn an_incompatible_schema_is_refused(cell: &Cell) {
    let load = cell.load_expecting(with_text_of_type(INT32));
    failure(load, Code::FailedPrecondition, &["anyplug.test.v1.EchoRequest.text", "FIELD_TYPE"]).await;
}

pub(crate) async fn a_compatible_schema_is_accepted(cell: &Cell) {
    let service = with_text_of_type(BYTES);
    let plugin = cell.load_expecting(service).await.expect("a plugin");
    let client = Test::client(Client::new(plugin.link().clone(), service));
    let request = EchoRequest { text: "fits".to_owned(), ..EchoRequest::default() };
    assert_eq!(client.echo(request).await.expect("an answer").text, "fits");
    plugin.close().await.expect("an end");
}

pub(crate) async fn a_message_that_cannot_be_parsed_ends_its_call(cell: &Cell) {
    let plugin = cell.plugin().await;
    let client = Client::new(plugin.link().clone(), Test::DESCRIPTOR);
    // A part of EchoRequest is to be a message, and a part of FailRequest text.
    let request = FailRequest { detail: "\u{7}".to_owned(), ..FailRequest::default() };
    failure(client.unary::<_, EchoResponse>(ECHO, request), Code::Internal, &["cannot be parsed"]).await;
    let request = EchoRequest { data: vec![0xff], ..EchoRequest::default() };
    failure(client.unary::<_, FailRequest>(ECHO, request), Code::Internal, &["cannot be parsed"]).await;
    let request = EchoRequest { text: "goes on".to_owned(), ..EchoRequest::default() };
    assert_eq!(cell.client().await.echo(request).await.expect("an answer").text, "goes on");
}

pub(crate) async fn a_configuration_that_is_too_large_is_refused(cell: &Cell) {
    // {"text":"…"}
    let load = cell.load().config("text", "x".repeat(131_057 - 11));
    let words = ["plugin \"test-plugin\" takes 131057 bytes", "131056"];
    failure(load, Code::InvalidArgument, &words).await;
}

pub(crate) async fn a_plugin_can_refuse_its_configuration(cell: &Cell) {
    let refusal = "line 7: a rule without an end";
    failure(cell.load().config("refuse", refusal), Code::InvalidArgument, &[refusal]).await;
}

/// TestService as of another build, in which EchoRequest.text has another type.
fn with_text_of_type(field_type: u8) -> &'static ServiceDescriptor {
    let mut descriptors = Test::DESCRIPTOR.descriptor_set.to_vec();
    let find = |bytes: &[u8], from: usize| {
        let found = descriptors[from..].windows(bytes.len()).position(|window| window == bytes);
        from + found.expect("a descriptor")
    };
    let message = find(b"\n\x0bEchoRequest", 0);
    let field = find(b"\n\x04text\x18\x01 \x01(\x09R\x04text", message);
    // After name, number and label.
    descriptors[field + 11] = field_type;
    Box::leak(Box::new(ServiceDescriptor {
        name: Test::DESCRIPTOR.name,
        fingerprint: "of another build",
        methods: Test::DESCRIPTOR.methods,
        descriptor_set: descriptors.leak(),
    }))
}

/// A service with one more method than the plugin has, and a fingerprint that does not tell; and where that method is.
pub(crate) fn with_missing_method<S: Service>() -> (&'static ServiceDescriptor, usize) {
    let ServiceDescriptor { name, fingerprint, methods, .. } = S::DESCRIPTOR;
    let missing = MethodDescriptor { name: "Missing", ..methods[0] };
    let methods = [*methods, &[missing]].concat().leak();
    let service = ServiceDescriptor { name, fingerprint, methods, descriptor_set: &[] };
    (Box::leak(Box::new(service)), methods.len() - 1)
}

impl Cell {
    fn load_expecting(&self, service: &'static ServiceDescriptor) -> anyplug_host::Load {
        let expect = vec![Arc::new(ServiceEntry::from(service))];
        self.load_with(LoadOptions { expect, ..LoadOptions::default() })
    }
}
