//! The text that `protoc-gen-anyplug` writes about the messages of a package; tools/protoc-gen-anyplug/src/python/tables.ts says what its lines are.

use std::collections::HashMap;

/// A package: its messages by the names of their classes.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) messages: HashMap<String, Vec<Line>>,
}

/// What the text says of a field.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) attribute: String,
    pub(super) cardinality: Cardinality,
    pub(super) kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// Always there; not written when it is the default.
    Singular,
    /// None when absent.
    Optional,
    /// None when absent, and absent when another member of this oneof is there.
    Oneof(String),
    Repeated,
    Packed,
    /// By keys of this type.
    Map(Scalar),
}

#[derive(Clone)]
pub(super) enum Kind {
    Scalar(Scalar),
    Enum(Reference),
    Message(Reference),
    Timestamp,
    Duration,
    /// A message with this as its only field, in whose place stands the value.
    Wrapper(Scalar),
}

/// A class in the module of a package; the package is None where it is the one that refers.
#[derive(Clone)]
pub(super) struct Reference {
    pub(super) package: Option<String>,
    pub(super) class: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// Reads the table of a package.
///
/// # Errors
///
/// What is wrong in which line: the table was written by a generator of another version.
pub(super) fn parse(text: &str) -> Result<Package, String> {
    let mut lines = text.lines().enumerate();
    let name = match lines.next() {
        Some((_, line)) if line == "package" || line.starts_with("package ") => {
            line.trim_start_matches("package").trim().to_owned()
        }
        _ => return Err("it does not begin with its package".to_owned()),
    };
    let mut messages: HashMap<String, Vec<Line>> = HashMap::new();
    let mut fields = None;
    for (index, line) in lines {
        if let Some(class) = line.strip_prefix("message ") {
            fields = Some(messages.entry(class.to_owned()).or_default());
        } else {
            let field = field(line).ok_or_else(|| format!("line {} is not understood: {line}", index + 1))?;
            fields.as_mut().ok_or("a field comes before the first message")?.push(field);
        }
    }
    Ok(Package { name, messages })
}

fn field(line: &str) -> Option<Line> {
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok().filter(|number| (1..1 << 29).contains(number))?;
    let attribute = words.next()?.to_owned();
    let cardinality = match words.next()? {
        "singular" => Cardinality::Singular,
        "optional" => Cardinality::Optional,
        "repeated" => Cardinality::Repeated,
        "packed" => Cardinality::Packed,
        "map" => Cardinality::Map(scalar(words.next()?)?),
        other => Cardinality::Oneof(other.strip_prefix("oneof:")?.to_owned()),
    };
    let kind = kind(words.next()?)?;
    // A generator to come may say more.
    Some(Line { number, attribute, cardinality, kind })
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word.split_once(':') {
        None if word == "timestamp" => Kind::Timestamp,
        None if word == "duration" => Kind::Duration,
        None => Kind::Scalar(scalar(word)?),
        Some(("wrapper", inner)) => Kind::Wrapper(scalar(inner)?),
        Some(("enum", class)) => Kind::Enum(reference(class)),
        Some(("message", class)) => Kind::Message(reference(class)),
        Some(_) => return None,
    })
}

fn reference(word: &str) -> Reference {
    match word.split_once(':') {
        None => Reference { package: None, class: word.to_owned() },
        Some((package, class)) => Reference { package: Some(package.to_owned()), class: class.to_owned() },
    }
}

fn scalar(word: &str) -> Option<Scalar> {
    Some(match word {
        "double" => Scalar::Double,
        "float" => Scalar::Float,
        "int32" => Scalar::Int32,
        "int64" => Scalar::Int64,
        "uint32" => Scalar::Uint32,
        "uint64" => Scalar::Uint64,
        "sint32" => Scalar::Sint32,
        "sint64" => Scalar::Sint64,
        "fixed32" => Scalar::Fixed32,
        "fixed64" => Scalar::Fixed64,
        "sfixed32" => Scalar::Sfixed32,
        "sfixed64" => Scalar::Sfixed64,
        "bool" => Scalar::Bool,
        "string" => Scalar::String,
        "bytes" => Scalar::Bytes,
        _ => return None,
    })
}
