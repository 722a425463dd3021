//! Classes with their tables: registered when they are made, bound when they are first used.
//!
//! Tables live as long as the process, as modules do; messages refer to each other in circles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyType};

use super::fault::invalid_argument;
use super::table::{Cardinality, Kind, Line, Package, Reference, Scalar, parse};
use super::wire;

/// The table of a message, bound to its class.
pub(super) struct Message {
    pub(super) class: Py<PyType>,
    pub(super) name: String,
    /// By number.
    pub(super) fields: Vec<Field>,
    /// For each number below 256 the place of its field, plus one.
    dense: Vec<u16>,
    /// The attributes of an instance that was made without arguments, but for lists and dicts: these are None.
    pub(super) defaults: Py<PyDict>,
    pub(super) has_containers: bool,
    /// The places of the members of each oneof.
    pub(super) oneofs: Vec<Oneof>,
    pub(super) unknown_fields: Py<PyString>,
}

pub(super) struct Oneof {
    pub(super) name: String,
    pub(super) members: Vec<usize>,
}

pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) key: Py<PyString>,
    pub(super) shape: Shape,
    pub(super) kind: Type,
    /// As it is written.
    pub(super) tag: u32,
    pub(super) oneof: Option<usize>,
    /// None for lists and dicts.
    pub(super) default: Py<PyAny>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Singular,
    Optional,
    Repeated,
    Packed,
    Map(Scalar),
}

pub(super) enum Type {
    Scalar(Scalar),
    Enum(EnumType),
    Message(MessageType),
    Timestamp,
    Duration,
    Wrapper(Scalar),
}

impl Type {
    pub(super) fn wire_type(&self) -> u32 {
        match self {
            Self::Scalar(scalar) => scalar.wire_type(),
            Self::Enum(_) => wire::VARINT,
            _ => wire::LENGTH,
        }
    }
}

impl Scalar {
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Self::Double | Self::Fixed64 | Self::Sfixed64 => wire::FIXED64,
            Self::Float | Self::Fixed32 | Self::Sfixed32 => wire::FIXED32,
            Self::String | Self::Bytes => wire::LENGTH,
            _ => wire::VARINT,
        }
    }
}

impl Message {
    /// The place of the field with this number.
    #[inline]
    pub(super) fn place_of(&self, number: u32) -> Option<usize> {
        match self.dense.get(number as usize) {
            Some(0) => None,
            Some(&place) => Some(usize::from(place) - 1),
            None => self.fields.binary_search_by_key(&number, |field| field.number).ok(),
        }
    }
}

/// A message class that fields refer to.
pub(super) struct MessageType {
    module: String,
    class: String,
    bound: OnceLock<&'static Message>,
}

impl MessageType {
    /// Its table.
    #[inline]
    pub(super) fn table(&self, py: Python<'_>) -> PyResult<&'static Message> {
        match self.bound.get() {
            Some(table) => Ok(table),
            None => {
                let class = py.import(&*self.module)?.getattr(&*self.class)?.cast_into::<PyType>()?;
                let table = generated(&class)?;
                Ok(self.bound.get_or_init(|| table))
            }
        }
    }
}

/// An enum class that fields refer to.
pub(super) struct EnumType {
    module: String,
    class: String,
    bound: OnceLock<(Py<PyAny>, HashMap<i32, Py<PyAny>>)>,
}

impl EnumType {
    /// The member with this number; one without a name if the schema has none.
    #[inline]
    pub(super) fn member<'py>(&self, py: Python<'py>, number: i32) -> PyResult<Bound<'py, PyAny>> {
        let (class, members) = match self.bound.get() {
            Some(bound) => bound,
            None => {
                let class = py.import(&*self.module)?.getattr(&*self.class)?;
                let members = class.getattr("_value2member_map_")?.extract()?;
                self.bound.get_or_init(|| (class.unbind(), members))
            }
        };
        match members.get(&number) {
            Some(member) => Ok(member.bind(py).clone()),
            None => class.bind(py).call1((number,)),
        }
    }
}

#[derive(Default)]
struct Registry {
    /// The registered classes by their addresses, which stay theirs since the classes are kept; with their tables once they are bound.
    classes: HashMap<usize, (Py<PyType>, Option<&'static Message>)>,
    /// By the names of their modules.
    packages: HashMap<String, Arc<Package>>,
}

/// Locked for look-ups only, never while Python runs.
static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn register(class: &Bound<'_, PyType>) {
    registry().classes.entry(class.as_ptr() as usize).or_insert_with(|| (class.clone().unbind(), None));
}

/// A class and the table that it goes by.
pub(super) enum Class {
    Generated(&'static Message),
    /// A class that a user derived from a generated one.
    Derived(&'static Message),
}

impl Class {
    pub(super) fn table(&self) -> &'static Message {
        match self {
            Self::Generated(table) | Self::Derived(table) => table,
        }
    }
}

/// Finds the table of a generated class, or of one derived from it.
///
/// # Errors
///
/// AnyplugError (INVALID_ARGUMENT) for any other class, and for one that does not fit its table.
#[inline]
pub(super) fn class_of(class: &Bound<'_, PyType>) -> PyResult<Class> {
    if let Some((_, Some(table))) = registry().classes.get(&(class.as_ptr() as usize)) {
        return Ok(Class::Generated(table));
    }
    bind_class(class)
}

#[cold]
fn bind_class(class: &Bound<'_, PyType>) -> PyResult<Class> {
    for ancestor in class.mro() {
        let found = registry().classes.contains_key(&(ancestor.as_ptr() as usize));
        if found {
            let ancestor = ancestor.cast_into::<PyType>()?;
            let table = generated(&ancestor)?;
            return Ok(if ancestor.is(class) { Class::Generated(table) } else { Class::Derived(table) });
        }
    }
    let text = format!("{} is not a message that anyplug's generator and betterproto2 wrote: there is no table for it", class.fully_qualified_name()?);
    Err(invalid_argument(class.py(), &text))
}

/// The table of a class itself.
fn generated(class: &Bound<'_, PyType>) -> PyResult<&'static Message> {
    let address = class.as_ptr() as usize;
    if let Some((_, Some(table))) = registry().classes.get(&address) {
        return Ok(table);
    }
    let table: &'static Message = Box::leak(Box::new(bind(class)?));
    let mut registry = registry();
    let (_, bound) = registry.classes.entry(address).or_insert_with(|| (class.clone().unbind(), None));
    Ok(bound.get_or_insert(table))
}

fn package_of(py: Python<'_>, module: &str) -> PyResult<Arc<Package>> {
    let known = registry().packages.get(module).cloned();
    if let Some(package) = known {
        return Ok(package);
    }
    let place = format!("{module}._anyplug_table");
    let text: String = py.import(&*place)?.getattr("TABLE")?.extract()?;
    let package = parse(&text).map_err(|reason| invalid_argument(py, &format!("{place} cannot be read, {reason}. Generate it by the version of anyplug that is installed.")))?;
    Ok(registry().packages.entry(module.to_owned()).or_insert(Arc::new(package)).clone())
}

fn bind(class: &Bound<'_, PyType>) -> PyResult<Message> {
    let py = class.py();
    let name = class.name()?.to_string();
    let module = class.module()?.to_string();
    let package = package_of(py, &module)?;
    let refuse = |reason: &str| invalid_argument(py, &format!("{module}.{name} {reason}. Generate its package again, by betterproto2 and protoc-gen-anyplug in one run."));
    let mut lines = package.messages.get(&name).ok_or_else(|| refuse("has no table; options that no message refers to have none"))?.clone();
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

    let defaults = PyDict::new(py);
    let declared = class.getattr(intern!(py, "__dataclass_fields__"))?.cast_into::<PyDict>()?;
    for attribute in declared.keys() {
        let attribute: String = attribute.extract()?;
        let field = fields.iter().find(|field| field.name == attribute);
        let field = field.ok_or_else(|| refuse(&format!("does not fit its table, where there is no {attribute}")))?;
        defaults.set_item(&field.key, &field.default)?;
    }
    if let Some(field) = fields.iter().find(|field| !declared.contains(&field.key).unwrap_or(false)) {
        return Err(refuse(&format!("does not fit its table: it has no {}", field.name)));
    }
    let unknown_fields = intern!(py, "_unknown_fields").clone().unbind();
    defaults.set_item(&unknown_fields, PyBytes::new(py, b""))?;
    let has_containers = fields.iter().any(Field::is_container);
    Ok(Message { class: class.clone().unbind(), name, fields, dense, defaults: defaults.unbind(), has_containers, oneofs, unknown_fields })
}

impl Field {
    /// Whether its attribute is a list or a dict.
    pub(super) fn is_container(&self) -> bool {
        matches!(self.shape, Shape::Repeated | Shape::Packed | Shape::Map(_))
    }
}

fn field(py: Python<'_>, line: Line, place: usize, module: &str, root: &str, oneofs: &mut Vec<Oneof>) -> PyResult<Field> {
    let module_of = |reference: &Reference| match &reference.package {
        None => module.to_owned(),
        Some(package) if root.is_empty() => package.clone(),
        Some(package) => format!("{root}.{package}"),
    };
    let kind = match line.kind {
        Kind::Scalar(scalar) => Type::Scalar(scalar),
        Kind::Enum(reference) => Type::Enum(EnumType { module: module_of(&reference), class: reference.class, bound: OnceLock::new() }),
        Kind::Message(reference) => Type::Message(MessageType { module: module_of(&reference), class: reference.class, bound: OnceLock::new() }),
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
        default: default.unbind(),
    })
}

/// The attributes of a message.
///
/// # Errors
///
/// AttributeError when the class has slots in their place.
#[inline]
pub(super) fn attributes<'py>(message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: the object is alive, and PyObject_GenericGetDict takes any object; it returns a new reference, or null with an exception set.
    let dict = unsafe { Bound::from_owned_ptr_or_err(message.py(), pyo3::ffi::PyObject_GenericGetDict(message.as_ptr(), std::ptr::null_mut()))? };
    Ok(dict.cast_into::<PyDict>()?)
}
