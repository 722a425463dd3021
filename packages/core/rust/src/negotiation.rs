//! Compares the schemas of two sides, by the rules of section 8 of `docs/protocol.md`.

use std::collections::{HashMap, HashSet};
use std::fmt;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};

use crate::error::{Error, Result};

/// A difference that breaks the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The caller's method does not exist at the callee.
    MethodRemoved,
    /// One side streams where the other does not.
    MethodKind,
    /// The request or response is a message of another full name.
    MethodType,
    /// A field number has types whose encodings differ.
    FieldType,
    /// One side has the field repeated, the other not.
    FieldCardinality,
    /// Two fields that are in one oneof on one side are not on the other.
    FieldOneof,
}

impl Rule {
    /// The name in the protocol, such as `"FIELD_TYPE"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MethodRemoved => "METHOD_REMOVED",
            Self::MethodKind => "METHOD_KIND",
            Self::MethodType => "METHOD_TYPE",
            Self::FieldType => "FIELD_TYPE",
            Self::FieldCardinality => "FIELD_CARDINALITY",
            Self::FieldOneof => "FIELD_ONEOF",
        }
    }
}

/// One difference: the rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The rule that is broken.
    pub rule: Rule,
    /// The method or field, by its full name.
    pub subject: String,
    /// What each side has.
    pub explanation: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.rule.name(), self.subject, self.explanation)
    }
}

/// How many differences an error names; the rest is counted.
const NAMED_DIFFERENCES: usize = 5;

/// Refuses schemas of a service that differ in a way that breaks the wire. Both are a `google.protobuf.FileDescriptorSet` in bytes.
///
/// # Errors
/// FAILED_PRECONDITION, naming rules and fields; INTERNAL, when a set cannot be parsed or lacks the service.
pub fn check_compatible(service: &str, caller: &[u8], callee: &[u8]) -> Result<()> {
    let differences = compare(service, caller, callee)?;
    if differences.is_empty() {
        return Ok(());
    }
    let mut named: Vec<_> = differences.iter().take(NAMED_DIFFERENCES).map(ToString::to_string).collect();
    if differences.len() > NAMED_DIFFERENCES {
        named.push(format!("and {} more", differences.len() - NAMED_DIFFERENCES));
    }
    Err(Error::failed_precondition(format!(
        "the schemas of {service} are not compatible: {}; generate both sides from one schema",
        named.join("; ")
    )))
}

/// All differences of a service's schemas that break the wire.
///
/// # Errors
/// INTERNAL, when a set cannot be parsed or lacks the service.
pub fn compare(service: &str, caller: &[u8], callee: &[u8]) -> Result<Vec<Difference>> {
    let caller = Schema::parse(caller, "caller")?;
    let callee = Schema::parse(callee, "callee")?;
    let mut comparison = Comparison { caller: &caller, callee: &callee, seen: HashSet::new(), differences: Vec::new() };
    let theirs = callee.service(service)?;
    for method in &caller.service(service)?.method {
        comparison.method(service, method, theirs);
    }
    Ok(comparison.differences)
}

/// The messages and services of a descriptor set by full name, without the leading dot.
struct Schema {
    side: &'static str,
    messages: HashMap<String, DescriptorProto>,
    services: HashMap<String, ServiceDescriptorProto>,
}

impl Schema {
    fn parse(bytes: &[u8], side: &'static str) -> Result<Self> {
        let set = FileDescriptorSet::decode(bytes)
            .map_err(|error| Error::internal(format!("the descriptors of the {side} cannot be parsed: {error}")))?;
        let mut schema = Self { side, messages: HashMap::new(), services: HashMap::new() };
        for file in set.file {
            let package = file.package.unwrap_or_default();
            for message in file.message_type {
                schema.add(&package, message);
            }
            for service in file.service {
                schema.services.insert(join(&package, service.name()), service);
            }
        }
        Ok(schema)
    }

    fn add(&mut self, scope: &str, mut message: DescriptorProto) {
        let name = join(scope, message.name());
        for nested in std::mem::take(&mut message.nested_type) {
            self.add(&name, nested);
        }
        self.messages.insert(name, message);
    }

    fn service(&self, name: &str) -> Result<&ServiceDescriptorProto> {
        let missing = || Error::internal(format!("the descriptors of the {} lack the service {name}", self.side));
        self.services.get(name).ok_or_else(missing)
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

struct Comparison<'a> {
    caller: &'a Schema,
    callee: &'a Schema,
    seen: HashSet<(String, String)>,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn differ(&mut self, rule: Rule, subject: String, explanation: String) {
        self.differences.push(Difference { rule, subject, explanation });
    }

    fn method(&mut self, service: &str, ours: &MethodDescriptorProto, callee: &ServiceDescriptorProto) {
        let subject = format!("{service}/{}", ours.name());
        let Some(theirs) = callee.method.iter().find(|method| method.name() == ours.name()) else {
            return self.differ(Rule::MethodRemoved, subject, "the callee does not have it".to_owned());
        };
        let kind = |method: &MethodDescriptorProto| match (method.client_streaming(), method.server_streaming()) {
            (false, false) => "unary",
            (false, true) => "server_stream",
            (true, false) => "client_stream",
            (true, true) => "bidi_stream",
        };
        if kind(ours) != kind(theirs) {
            let explanation = format!("{} at the caller, {} at the callee", kind(ours), kind(theirs));
            self.differ(Rule::MethodKind, subject.clone(), explanation);
        }
        for (what, ours, theirs) in [
            ("request", ours.input_type(), theirs.input_type()),
            ("response", ours.output_type(), theirs.output_type()),
        ] {
            let (ours, theirs) = (ours.trim_start_matches('.'), theirs.trim_start_matches('.'));
            if ours == theirs {
                self.message(ours, theirs);
            } else {
                let explanation = format!("the {what} is {ours} at the caller, {theirs} at the callee");
                self.differ(Rule::MethodType, subject.clone(), explanation);
            }
        }
    }

    /// Compares two messages by their fields, and the messages of those; each pair once.
    fn message(&mut self, ours: &str, theirs: &str) {
        let mut pairs = vec![(ours.to_owned(), theirs.to_owned())];
        while let Some(pair) = pairs.pop() {
            if !self.seen.insert(pair.clone()) {
                continue;
            }
            let (Some(caller), Some(callee)) = (self.caller.messages.get(&pair.0), self.callee.messages.get(&pair.1))
            else {
                continue;
            };
            let mut common = Vec::new();
            for ours in &caller.field {
                if let Some(theirs) = callee.field.iter().find(|field| field.number() == ours.number()) {
                    self.field(&pair.0, ours, theirs, &mut pairs);
                    common.push((ours, theirs));
                }
            }
            self.oneofs(&pair.0, &common);
        }
    }

    fn field(
        &mut self,
        message: &str,
        ours: &FieldDescriptorProto,
        theirs: &FieldDescriptorProto,
        pairs: &mut Vec<(String, String)>,
    ) {
        let subject = || format!("{message}.{} (field {})", ours.name(), ours.number());
        if encoding(ours.r#type()) != encoding(theirs.r#type()) {
            let explanation = format!("{} at the caller, {} at the callee", type_name(ours), type_name(theirs));
            self.differ(Rule::FieldType, subject(), explanation);
        } else if matches!(ours.r#type(), Type::Message | Type::Group) {
            let name = |field: &FieldDescriptorProto| field.type_name().trim_start_matches('.').to_owned();
            pairs.push((name(ours), name(theirs)));
        }
        let cardinality = |field: &FieldDescriptorProto| match field.label() {
            Label::Repeated => "repeated",
            _ => "single",
        };
        if cardinality(ours) != cardinality(theirs) {
            let explanation = format!("{} at the caller, {} at the callee", cardinality(ours), cardinality(theirs));
            self.differ(Rule::FieldCardinality, subject(), explanation);
        }
    }

    /// Fields that both sides have are in one oneof on both, or on neither.
    fn oneofs(&mut self, message: &str, common: &[(&FieldDescriptorProto, &FieldDescriptorProto)]) {
        for (index, (ours, theirs)) in common.iter().enumerate() {
            for (other, their_other) in common.iter().skip(index + 1) {
                let together = |one: &FieldDescriptorProto, two: &FieldDescriptorProto| {
                    one.oneof_index.is_some() && one.oneof_index == two.oneof_index
                };
                let at_caller = together(ours, other);
                if at_caller != together(theirs, their_other) {
                    let subject = format!(
                        "{message}.{} and {} (fields {} and {})",
                        ours.name(),
                        other.name(),
                        ours.number(),
                        other.number()
                    );
                    let side = if at_caller { "caller" } else { "callee" };
                    self.differ(Rule::FieldOneof, subject, format!("in one oneof at the {side} only"));
                }
            }
        }
    }
}

/// Types with the same letter have encodings that the other can read.
fn encoding(kind: Type) -> char {
    match kind {
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 | Type::Bool | Type::Enum => 'v',
        Type::Sint32 | Type::Sint64 => 'z',
        Type::Fixed32 | Type::Sfixed32 => '4',
        Type::Fixed64 | Type::Sfixed64 => '8',
        Type::String | Type::Bytes => 's',
        Type::Float => 'f',
        Type::Double => 'd',
        Type::Message => 'm',
        Type::Group => 'g',
    }
}

fn type_name(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Group | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        kind => kind.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}
