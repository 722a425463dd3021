//! The table of a class: its part of the text of its package, held against what betterproto2 made of the message.

use std::sync::{Arc, OnceLock};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyType};

use super::fault::invalid_argument;
use super::registry::{EnumType, Field, Message, MessageType, Oneof, Shape, Type, keep_package, kept_package};
use super::table::{Cardinality, Kind, Line, Package, Reference, parse};
use super::wire;

fn package_of(py: Python<'_>, module: &str) -> PyResult<Arc<Package>> {
    if let Some(package) = kept_package(module) {
        return Ok(package);
    }
    let place = format!("{module}._anyplug_table");
    let text: String = py.import(&*place)?.getattr("TABLE")?.extract()?;
    let package = parse(&text).map_err(|reason| {
        invalid_argument(
            py,
            &format!("{place} cannot be read, {reason}. Generate it by the version of anyplug that is installed."),
        )
    })?;
    Ok(keep_package(module, package))
}

/// Binds a class to its table.
///
/// # Errors
///
/// AnyplugError (INVALID_ARGUMENT) when the class and the table were not generated from one schema.
pub(super) fn bind(class: &Bound<'_, PyType>) -> PyResult<Message> {
    let py = class.py();
    let name = class.name()?.to_string();
    let module = class.module()?.to_string();
    let package = package_of(py, &module)?;
    let refuse = |reason: &str| {
        invalid_argument(
            py,
            &format!(
                "{module}.{name} {reason}. Generate its package again, by betterproto2 and protoc-gen-anyplug in one run."
            ),
        )
    };
    let mut lines = package
        .messages
        .get(&name)
        .ok_or_else(|| refuse("has no table; options that no message refers to have none"))?
        .clone();
    lines.sort_by_key(|line| line.number);

    let root = module.strip_suffix(&package.name).map(|root| root.trim_end_matches('.'));
    let root = root.ok_or_else(|| refuse(&format!("is not in a module of package {}", package.name)))?;
    let mut oneofs: Vec<Oneof> = Vec::new();
    let mut fields = Vec::new();
    for (place, line) in lines.into_iter().enumerate() {
        fields.push(field(py, line, place, &module, root, &mut oneofs)?);
    }
    let mut dense = Vec::new();
    for (place, field) in fields.iter().enumerate().take_while(|(_, field)| field.number < 256) {
        dense.resize(field.number as usize + 1, 0);
        dense[field.number as usize] = place as u16 + 1;
    }

    let (defaults, mut keys) = (PyDict::new(py), Vec::new());
    let declared = class.getattr(intern!(py, "__dataclass_fields__"))?.cast_into::<PyDict>()?;
    for attribute in declared.keys() {
        let attribute: String = attribute.extract()?;
        let field = fields.iter_mut().find(|field| field.name == attribute);
        let field = field.ok_or_else(|| refuse(&format!("does not fit its table, where there is no {attribute}")))?;
        defaults.set_item(&field.key, &field.default)?;
        field.slot = keys.len();
        keys.push(field.key.clone_ref(py));
    }
    if let Some(field) = fields.iter().find(|field| !declared.contains(&field.key).unwrap_or(false)) {
        return Err(refuse(&format!("does not fit its table: it has no {}", field.name)));
    }
    let unknown_fields = intern!(py, "_unknown_fields").clone().unbind();
    defaults.set_item(&unknown_fields, PyBytes::new(py, b""))?;
    keys.push(unknown_fields.clone_ref(py));
    let has_containers = fields.iter().any(Field::is_container);
    Ok(Message {
        class: class.clone().unbind(),
        name,
        fields,
        dense,
        defaults: defaults.unbind(),
        has_containers,
        oneofs,
        unknown_fields,
        keys,
    })
}

fn field(
    py: Python<'_>,
    line: Line,
    place: usize,
    module: &str,
    root: &str,
    oneofs: &mut Vec<Oneof>,
) -> PyResult<Field> {
    let module_of = |reference: &Reference| match &reference.package {
        None => module.to_owned(),
        Some(package) if root.is_empty() => package.clone(),
        Some(package) => format!("{root}.{package}"),
    };
    let kind = match line.kind {
        Kind::Scalar(scalar) => Type::Scalar(scalar),
        Kind::Enum(reference) => {
            Type::Enum(EnumType { module: module_of(&reference), class: reference.class, bound: OnceLock::new() })
        }
        Kind::Message(reference) => {
            Type::Message(MessageType { module: module_of(&reference), class: reference.class, bound: OnceLock::new() })
        }
        Kind::Timestamp => Type::Timestamp,
        Kind::Duration => Type::Duration,
        Kind::Wrapper(scalar) => Type::Wrapper(scalar),
    };
    let mut oneof = None;
    let shape = match line.cardinality {
        Cardinality::Singular => Shape::Singular,
        Cardinality::Optional => Shape::Optional,
        Cardinality::Repeated => Shape::Repeated,
        Cardinality::Packed => Shape::Packed,
        Cardinality::Map(key) => Shape::Map(key),
        Cardinality::Oneof(name) => {
            let index = oneofs.iter().position(|known| known.name == name).unwrap_or_else(|| {
                oneofs.push(Oneof { name, members: Vec::new() });
                oneofs.len() - 1
            });
            oneofs[index].members.push(place);
            oneof = Some(index);
            Shape::Optional
        }
    };
    let default = match (&shape, &kind) {
        (Shape::Singular, Type::Scalar(scalar)) => super::scalar::default_of(py, *scalar),
        (Shape::Singular, Type::Enum(class)) => class.member(py, 0)?,
        _ => py.None().into_bound(py),
    };
    let wire_type = if matches!(shape, Shape::Packed | Shape::Map(_)) { wire::LENGTH } else { kind.wire_type() };
    Ok(Field {
        number: line.number,
        // Tables live as long as the process.
        name: line.attribute.clone().leak(),
        key: PyString::intern(py, &line.attribute).unbind(),
        shape,
        kind,
        tag: line.number << 3 | wire_type,
        oneof,
        slot: 0,
        default: default.unbind(),
    })
}
