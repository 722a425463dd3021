//! Compares the schemas of two sides, by the rules of section 8 of `docs/protocol.md`.

use std::fmt;

use crate::error::{Error, Result};

mod schema;

use schema::{Field, Method, Schema, ServiceType};

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
    let mut comparison = Comparison { caller: &caller, callee: &callee, seen: Vec::new(), differences: Vec::new() };
    let theirs = callee.service(service)?;
    for method in &caller.service(service)?.methods {
        comparison.method(service, method, theirs);
    }
    Ok(comparison.differences)
}

struct Comparison<'a> {
    caller: &'a Schema,
    callee: &'a Schema,
    /// Pairs of messages, by their numbers on both sides.
    seen: Vec<(usize, usize)>,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn differ(&mut self, rule: Rule, subject: String, explanation: String) {
        self.differences.push(Difference { rule, subject, explanation });
    }

    fn method(&mut self, service: &str, ours: &Method, callee: &ServiceType) {
        let subject = format!("{service}/{}", ours.name);
        let Some(theirs) = callee.methods.iter().find(|method| method.name == ours.name) else {
            return self.differ(Rule::MethodRemoved, subject, "the callee does not have it".to_owned());
        };
        if ours.kind() != theirs.kind() {
            let explanation = format!("{} at the caller, {} at the callee", ours.kind(), theirs.kind());
            self.differ(Rule::MethodKind, subject.clone(), explanation);
        }
        for (what, ours, theirs) in
            [("request", ours.request(), theirs.request()), ("response", ours.response(), theirs.response())]
        {
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
            let (Some((ours, caller)), Some((theirs, callee))) =
                (self.caller.message(&pair.0), self.callee.message(&pair.1))
            else {
                continue;
            };
            if self.seen.contains(&(ours, theirs)) {
                continue;
            }
            self.seen.push((ours, theirs));
            let mut common = Vec::new();
            for ours in &caller.fields {
                if let Some(theirs) = callee.fields.iter().find(|field| field.number == ours.number) {
                    self.field(&pair.0, ours, theirs, &mut pairs);
                    common.push((ours, theirs));
                }
            }
            self.oneofs(&pair.0, &common);
        }
    }

    fn field(&mut self, message: &str, ours: &Field, theirs: &Field, pairs: &mut Vec<(String, String)>) {
        let subject = || format!("{message}.{} (field {})", ours.name, ours.number);
        let both = |ours: &str, theirs: &str| format!("{ours} at the caller, {theirs} at the callee");
        if ours.encoding() != theirs.encoding() {
            self.differ(Rule::FieldType, subject(), both(ours.shown_type(), theirs.shown_type()));
        } else if ours.is_message() {
            pairs.push((ours.message_name().to_owned(), theirs.message_name().to_owned()));
        }
        if ours.cardinality() != theirs.cardinality() {
            self.differ(Rule::FieldCardinality, subject(), both(ours.cardinality(), theirs.cardinality()));
        }
    }

    /// Fields that both sides have are in one oneof on both, or on neither.
    fn oneofs(&mut self, message: &str, common: &[(&Field, &Field)]) {
        for (index, (ours, theirs)) in common.iter().enumerate() {
            for (other, their_other) in common.iter().skip(index + 1) {
                let together = |one: &Field, two: &Field| one.oneof.is_some() && one.oneof == two.oneof;
                let at_caller = together(ours, other);
                if at_caller != together(theirs, their_other) {
                    let (one, two) = (&ours.name, &other.name);
                    let subject = format!("{message}.{one} and {two} (fields {} and {})", ours.number, other.number);
                    let side = if at_caller { "caller" } else { "callee" };
                    self.differ(Rule::FieldOneof, subject, format!("in one oneof at the {side} only"));
                }
            }
        }
    }
}
