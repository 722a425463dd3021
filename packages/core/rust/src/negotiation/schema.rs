//! What a comparison reads of a `google.protobuf.FileDescriptorSet`: the rest is skipped, and its code left out of what is built for small targets.

use prost::Message;

use crate::error::{Error, Result};

#[derive(Clone, PartialEq, Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageType>,
    #[prost(message, repeated, tag = "6")]
    services: Vec<ServiceType>,
}

/// A `DescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MessageType {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) fields: Vec<Field>,
    #[prost(message, repeated, tag = "3")]
    nested: Vec<MessageType>,
}

/// A `FieldDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Field {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "3")]
    pub(super) number: i32,
    #[prost(int32, tag = "4")]
    label: i32,
    #[prost(int32, tag = "5")]
    pub(super) kind: i32,
    #[prost(string, tag = "6")]
    type_name: String,
    #[prost(int32, optional, tag = "9")]
    pub(super) oneof: Option<i32>,
}

/// A `ServiceDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ServiceType {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) methods: Vec<Method>,
}

/// A `MethodDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Method {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    input: String,
    #[prost(string, tag = "3")]
    output: String,
    #[prost(bool, tag = "5")]
    client_streaming: bool,
    #[prost(bool, tag = "6")]
    server_streaming: bool,
}

/// `FieldDescriptorProto.Label.LABEL_REPEATED`.
const REPEATED: i32 = 3;

/// The names of `FieldDescriptorProto.Type`, from 1 on, and a letter that is the same for types whose encodings the other can read.
const TYPES: [(&str, char); 18] = [
    ("double", 'd'),
    ("float", 'f'),
    ("int64", 'v'),
    ("uint64", 'v'),
    ("int32", 'v'),
    ("fixed64", '8'),
    ("fixed32", '4'),
    ("bool", 'v'),
    ("string", 's'),
    ("group", 'g'),
    ("message", 'm'),
    ("bytes", 's'),
    ("uint32", 'v'),
    ("enum", 'v'),
    ("sfixed32", '4'),
    ("sfixed64", '8'),
    ("sint32", 'z'),
    ("sint64", 'z'),
];

impl Field {
    fn type_entry(&self) -> (&'static str, char) {
        let entry = usize::try_from(self.kind - 1).ok().and_then(|index| TYPES.get(index));
        entry.copied().unwrap_or(("a type that is not known", '?'))
    }

    /// Types with the same letter have encodings that the other can read.
    pub(super) fn encoding(&self) -> char {
        self.type_entry().1
    }

    /// Whether its values have fields of their own.
    pub(super) fn is_message(&self) -> bool {
        matches!(self.encoding(), 'm' | 'g')
    }

    /// The full name of its message or enum; empty for a scalar.
    pub(super) fn message_name(&self) -> &str {
        self.type_name.trim_start_matches('.')
    }

    /// For people: the scalar's name, or that of the message or enum.
    pub(super) fn shown_type(&self) -> &str {
        if self.type_name.is_empty() { self.type_entry().0 } else { self.message_name() }
    }

    /// "repeated" or "single".
    pub(super) fn cardinality(&self) -> &'static str {
        if self.label == REPEATED { "repeated" } else { "single" }
    }
}

impl Method {
    /// As in the descriptors of services, such as "server_stream".
    pub(super) fn kind(&self) -> &'static str {
        match (self.client_streaming, self.server_streaming) {
            (false, false) => "unary",
            (false, true) => "server_stream",
            (true, false) => "client_stream",
            (true, true) => "bidi_stream",
        }
    }

    /// The full name of the request's message.
    pub(super) fn request(&self) -> &str {
        self.input.trim_start_matches('.')
    }

    /// The full name of the response's message.
    pub(super) fn response(&self) -> &str {
        self.output.trim_start_matches('.')
    }
}

/// The messages and services of a descriptor set by full name, without the leading dot.
pub(super) struct Schema {
    side: &'static str,
    /// Sorted.
    messages: Vec<(String, MessageType)>,
    services: Vec<(String, ServiceType)>,
}

impl Schema {
    pub(super) fn parse(bytes: &[u8], side: &'static str) -> Result<Self> {
        let set = FileSet::decode(bytes)
            .map_err(|error| Error::internal(format!("the descriptors of the {side} cannot be parsed: {error}")))?;
        let mut schema = Self { side, messages: Vec::new(), services: Vec::new() };
        for File { package, messages, services } in set.files {
            for message in messages {
                schema.add(&package, message);
            }
            schema.services.extend(services.into_iter().map(|service| (join(&package, &service.name), service)));
        }
        Ok(schema)
    }

    fn add(&mut self, scope: &str, mut message: MessageType) {
        let name = join(scope, &message.name);
        for nested in std::mem::take(&mut message.nested) {
            self.add(&name, nested);
        }
        if let Err(place) = self.place(&name) {
            self.messages.insert(place, (name, message));
        }
    }

    fn place(&self, name: &str) -> std::result::Result<usize, usize> {
        self.messages.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The message of this full name, and its number among all.
    pub(super) fn message(&self, name: &str) -> Option<(usize, &MessageType)> {
        let place = self.place(name).ok()?;
        Some((place, &self.messages.get(place)?.1))
    }

    pub(super) fn service(&self, name: &str) -> Result<&ServiceType> {
        let missing = || Error::internal(format!("the descriptors of the {} lack the service {name}", self.side));
        self.services.iter().find(|(full, _)| full == name).map(|(_, service)| service).ok_or_else(missing)
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
