//! A service with the four kinds of method, in the shape that `protoc-gen-anyplug` writes.

#![allow(dead_code, reason = "each of its users needs a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::future::Future;
use std::sync::Arc;

use anyplug_core::codegen::v1 as codegen;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) data: Vec<u8>,
}

pub(crate) fn text(text: impl Into<String>) -> Text {
    Text { text: text.into(), data: Vec::new() }
}

const fn method(name: &'static str, kind: codegen::MethodKind) -> codegen::MethodDescriptor {
    codegen::MethodDescriptor { name, kind, idempotent: false, default_timeout_ms: 0, required_capability: "" }
}

pub(crate) static GREETER: codegen::ServiceDescriptor = codegen::ServiceDescriptor {
    name: "greeter.v1.GreeterService",
    fingerprint: "00112233445566778899aabbccddeeff",
    methods: &[
        method("Greet", codegen::MethodKind::Unary),
        method("Count", codegen::MethodKind::ServerStream),
        method("Join", codegen::MethodKind::ClientStream),
        method("Chat", codegen::MethodKind::BidiStream),
        codegen::MethodDescriptor {
            required_capability: "greeter.secret",
            default_timeout_ms: 5_000,
            ..method("Secret", codegen::MethodKind::Unary)
        },
    ],
    descriptor_set: b"",
};

pub(crate) struct Greeter;

impl codegen::Service for Greeter {
    const DESCRIPTOR: &'static codegen::ServiceDescriptor = &GREETER;
    type Client = GreeterClient;

    fn client(client: codegen::Client) -> GreeterClient {
        GreeterClient { client }
    }
}

#[derive(Clone)]
pub(crate) struct GreeterClient {
    client: codegen::Client,
}

impl GreeterClient {
    pub(crate) fn new(caller: &(impl codegen::Caller + ?Sized)) -> Self {
        Self { client: caller.client_of(&GREETER) }
    }

    pub(crate) fn greet(&self, request: Text) -> codegen::UnaryCall<Text, Text> {
        self.client.unary(0, request)
    }

    pub(crate) fn count(&self, request: Text) -> codegen::ServerStreamCall<Text, Text> {
        self.client.server_stream(1, request)
    }

    pub(crate) fn join(
        &self,
        requests: impl codegen::Stream<Item = Text> + Send + 'static,
    ) -> codegen::ClientStreamCall<Text, Text> {
        self.client.client_stream(2, requests)
    }

    pub(crate) fn chat(
        &self,
        requests: impl codegen::Stream<Item = Text> + Send + 'static,
    ) -> codegen::BidiStreamCall<Text, Text> {
        self.client.bidi_stream(3, requests)
    }

    pub(crate) fn secret(&self, request: Text) -> codegen::UnaryCall<Text, Text> {
        self.client.unary(4, request)
    }
}

pub(crate) type Answer<T> = codegen::Result<T>;

/// Each method answers in a plain way where it is not overridden.
pub(crate) trait GreeterHandler: Send + Sync + 'static {
    fn greet(&self, request: Text, _context: codegen::Context) -> impl Future<Output = Answer<Text>> + Send {
        async move { Ok(text(format!("Hello, {}!", request.text))) }
    }

    /// Sends "0", "1", … up to the number that the request gives.
    fn count(
        &self,
        request: Text,
        responses: codegen::Sender<Text>,
        _context: codegen::Context,
    ) -> impl Future<Output = Answer<()>> + Send {
        async move {
            for number in 0..request.text.parse().unwrap_or(0) {
                responses.send(text(number.to_string())).await?;
            }
            Ok(())
        }
    }

    fn join(
        &self,
        mut requests: codegen::Streaming<Text>,
        _context: codegen::Context,
    ) -> impl Future<Output = Answer<Text>> + Send {
        async move {
            let mut joined = Vec::new();
            while let Some(request) = requests.message().await? {
                joined.push(request.text);
            }
            Ok(text(joined.join(" ")))
        }
    }

    fn chat(
        &self,
        mut requests: codegen::Streaming<Text>,
        responses: codegen::Sender<Text>,
        _context: codegen::Context,
    ) -> impl Future<Output = Answer<()>> + Send {
        async move {
            while let Some(request) = requests.message().await? {
                responses.send(text(request.text.to_uppercase())).await?;
            }
            Ok(())
        }
    }

    fn secret(&self, request: Text, _context: codegen::Context) -> impl Future<Output = Answer<Text>> + Send {
        async move { Ok(request) }
    }
}

/// A handler that overrides nothing.
pub(crate) struct Plain;

impl GreeterHandler for Plain {}

/// A handler of `greet` alone, from a function.
pub(crate) struct Greets<F>(pub(crate) F);

impl<F, Fut> GreeterHandler for Greets<F>
where
    F: Fn(Text, codegen::Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer<Text>> + Send,
{
    fn greet(&self, request: Text, context: codegen::Context) -> impl Future<Output = Answer<Text>> + Send {
        (self.0)(request, context)
    }
}

impl Greeter {
    pub(crate) fn implement<H: GreeterHandler>(handler: H) -> codegen::Implementation {
        Self::implement_as(&GREETER, handler)
    }

    /// Implements it under another descriptor, for tests of schemas that differ.
    pub(crate) fn implement_as<H: GreeterHandler>(
        service: &'static codegen::ServiceDescriptor,
        handler: H,
    ) -> codegen::Implementation {
        codegen::ImplementationBuilder::new(service, Arc::new(handler))
            .unary(|handler: Arc<H>, request, context| async move { handler.greet(request, context).await })
            .server_stream(|handler: Arc<H>, request, responses, context| async move {
                handler.count(request, responses, context).await
            })
            .client_stream(|handler: Arc<H>, requests, context| async move { handler.join(requests, context).await })
            .bidi_stream(|handler: Arc<H>, requests, responses, context| async move {
                handler.chat(requests, responses, context).await
            })
            .unary(|handler: Arc<H>, request, context| async move { handler.secret(request, context).await })
            .build()
    }
}
