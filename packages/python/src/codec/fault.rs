//! Why a message cannot be encoded or decoded, and where in it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// A failure on its way out of nested messages: each level adds its step. Boxed, since results of every field carry it.
pub(super) struct Fault(Box<Inner>);

struct Inner {
    what: What,
    /// The innermost first.
    path: Vec<Step>,
}

enum What {
    /// What has nothing to do with the message, such as a MemoryError: raised as it is.
    Python(PyErr),
    Told(String),
}

/// A step from a message to something in it.
pub(super) enum Step {
    Field(&'static str),
    Index(usize),
    /// A key of a map as Python writes it.
    Key(String),
}

impl Fault {
    #[cold]
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner { what: What::Told(message.into()), path: Vec::new() }))
    }

    #[cold]
    pub(super) fn at(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    /// The exception: an AnyplugError (INVALID_ARGUMENT) that begins with the path from a message of this name.
    #[cold]
    pub(super) fn raise(self, py: Python<'_>, message_name: &str) -> PyErr {
        let told = match self.0.what {
            What::Python(error) => return error,
            What::Told(told) => told,
        };
        let mut text = message_name.to_owned();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Field(name) => text.extend([".", name]),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Key(key) => text.push_str(&format!("[{key}]")),
            }
        }
        invalid_argument(py, &format!("{text}: {told}"))
    }
}

impl From<PyErr> for Fault {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self(Box::new(Inner { what: What::Python(error), path: Vec::new() }))
    }
}

/// An AnyplugError (INVALID_ARGUMENT) with this message.
#[cold]
pub(super) fn invalid_argument(py: Python<'_>, message: &str) -> PyErr {
    const INVALID_ARGUMENT: u8 = 3;
    static ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match ERROR.import(py, "anyplug._error", "AnyplugError").and_then(|class| class.call1((INVALID_ARGUMENT, message)))
    {
        Ok(error) => PyErr::from_value(error),
        Err(unexpected) => unexpected,
    }
}

/// A value as a message about it shows it: shortened, with the name of its type.
#[cold]
pub(super) fn shown(value: &Bound<'_, PyAny>) -> String {
    const LONGEST: usize = 60;
    if value.is_none() {
        return "None".to_owned();
    }
    let class = value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    match value.repr() {
        Err(_) => format!("a {class}"),
        Ok(text) => {
            let text = text.to_string();
            let short: String = text.chars().take(LONGEST).collect();
            let dots = if short.len() < text.len() { "…" } else { "" };
            format!("{short}{dots} ({class})")
        }
    }
}
