//! Classes with their tables: registered when they are made, bound when they are first used.
//!
//! Tables live as long as the process, as modules do; messages refer to each other in circles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use super::bind::bind;
use super::fault::invalid_argument;
use super::table::{Package, Scalar};
use super::wire;

/// The table of a message, bound to its class.
pub(super) struct Message {
    pub(super) class: Py<PyType>,
    pub(super) name: String,
    /// By number.
    pub(super) fields: Vec<Field>,
    /// For each number below 256 the place of its field, plus one.
    pub(super) dense: Vec<u16>,
    /// The attributes of an instance that was made without arguments, but for lists and dicts: these are None.
    pub(super) defaults: Py<PyDict>,
    pub(super) has_containers: bool,
    /// The places of the members of each oneof.
    pub(super) oneofs: Vec<Oneof>,
    pub(super) unknown_fields: Py<PyString>,
    /// The attributes in the order of their declaration, the unknown fields last: as instances have them, mostly.
    pub(super) keys: Vec<Py<PyString>>,
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
    /// Its place in the order of declaration.
    pub(super) slot: usize,
    /// None for lists and dicts.
    pub(super) default: Py<PyAny>,
}

impl Field {
    /// Whether its attribute is a list or a dict.
    pub(super) fn is_container(&self) -> bool {
        matches!(self.shape, Shape::Repeated | Shape::Packed | Shape::Map(_))
    }
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
    pub(super) module: String,
    pub(super) class: String,
    pub(super) bound: OnceLock<&'static Message>,
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
    pub(super) module: String,
    pub(super) class: String,
    pub(super) bound: OnceLock<BoundEnum>,
}

pub(super) struct BoundEnum {
    class: Py<PyAny>,
    members: HashMap<i32, Py<PyAny>>,
}

impl EnumType {
    /// The member with this number; one without a name if the schema has none.
    #[inline]
    pub(super) fn member<'py>(&self, py: Python<'py>, number: i32) -> PyResult<Bound<'py, PyAny>> {
        let BoundEnum { class, members } = match self.bound.get() {
            Some(bound) => bound,
            None => {
                let class = py.import(&*self.module)?.getattr(&*self.class)?;
                let members = class.getattr("_value2member_map_")?.extract()?;
                self.bound.get_or_init(|| BoundEnum { class: class.unbind(), members })
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
    let text = format!(
        "{} is not a message that anyplug's generator and betterproto2 wrote: there is no table for it",
        class.fully_qualified_name()?
    );
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

/// The tables of the package of a module, if they were read.
pub(super) fn kept_package(module: &str) -> Option<Arc<Package>> {
    registry().packages.get(module).cloned()
}

/// Keeps the tables of a module's package, unless another thread was faster.
pub(super) fn keep_package(module: &str, package: Package) -> Arc<Package> {
    registry().packages.entry(module.to_owned()).or_insert(Arc::new(package)).clone()
}

/// The attributes of a message.
///
/// # Errors
///
/// AttributeError when the class has slots in their place.
#[inline]
pub(super) fn attributes<'py>(message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: the object is alive, and PyObject_GenericGetDict takes any object; it returns a new reference, or null with an exception set.
    let dict = unsafe {
        Bound::from_owned_ptr_or_err(
            message.py(),
            pyo3::ffi::PyObject_GenericGetDict(message.as_ptr(), std::ptr::null_mut()),
        )?
    };
    Ok(dict.cast_into::<PyDict>()?)
}
