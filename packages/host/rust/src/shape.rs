//! Checks JSON against an expected shape; what does not fit is named by its path.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anyplug_core::Error;
use serde_json::{Map, Value};

/// A value and where it stands: "actions[2].name".
#[derive(Debug, Clone)]
pub(crate) struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    /// The whole of a document.
    pub(crate) fn top(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    pub(crate) fn text(&self) -> Result<String, Error> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.unexpected("text"))
    }

    pub(crate) fn flag(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.unexpected("true or false"))
    }

    /// Text that is one of `names`.
    pub(crate) fn one_of(&self, names: &[&str]) -> Result<String, Error> {
        let found = self.value.as_str().filter(|text| names.contains(text));
        found.map(str::to_owned).ok_or_else(|| self.unexpected(&format!("one of {}", names.join(", "))))
    }

    /// Text that `matches`.
    pub(crate) fn matching(&self, matches: impl Fn(&str) -> bool, expected: &str) -> Result<String, Error> {
        let found = self.value.as_str().filter(|text| matches(text));
        found.map(str::to_owned).ok_or_else(|| self.unexpected(expected))
    }

    /// A whole number in this range; 3.0 is one too.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Result<T, Error> {
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let number = self.value.as_i64().or_else(|| self.value.as_f64().and_then(whole));
        let found = number.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        found.ok_or_else(|| self.unexpected(&expected()))
    }

    /// A list whose members `read` takes.
    pub(crate) fn list<T>(&self, read: impl Fn(&At<'a>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let list = self.value.as_array().ok_or_else(|| self.unexpected("a list"))?;
        let member = |(index, value)| read(&At { value, path: format!("{}[{index}]", self.path) });
        list.iter().enumerate().map(member).collect()
    }

    /// An object with members of any name, whose values `read` takes.
    pub(crate) fn record<T>(&self, read: impl Fn(&At<'a>) -> Result<T, Error>) -> Result<BTreeMap<String, T>, Error> {
        let member = |(name, value): (&String, &'a Value)| {
            Ok((name.clone(), read(&At { value, path: self.member_path(name) })?))
        };
        self.object()?.iter().map(member).collect()
    }

    /// JSON of any shape.
    #[expect(clippy::unnecessary_wraps, reason = "it is used like its siblings")]
    pub(crate) fn anything(&self) -> Result<Value, Error> {
        Ok(self.value.clone())
    }

    /// A member of this object, spelled like this or in snake_case, read by `read`. Absent and null are none.
    pub(crate) fn member<T>(&self, name: &str, read: impl Fn(&At<'a>) -> Result<T, Error>) -> Result<Option<T>, Error> {
        let object = self.object()?;
        let found = [name, &snake_case(name)].into_iter().find_map(|key| {
            let value = object.get(key).filter(|value| !value.is_null())?;
            Some(At { value, path: self.member_path(key) })
        });
        found.map(|at| read(&at)).transpose()
    }

    /// A member that must be there.
    pub(crate) fn required<T>(&self, name: &str, read: impl Fn(&At<'a>) -> Result<T, Error>) -> Result<T, Error> {
        let missing = || Error::invalid_argument(format!("{} is missing", self.member_path(name)));
        self.member(name, read)?.ok_or_else(missing)
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.unexpected("an object"))
    }

    fn member_path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn unexpected(&self, expected: &str) -> Error {
        let path = if self.path.is_empty() { "the whole" } else { &self.path };
        let shown = self.value.to_string();
        let short = match shown.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &shown[..end]),
            None => shown,
        };
        Error::invalid_argument(format!("{path}: expected {expected}, got {short}"))
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}
