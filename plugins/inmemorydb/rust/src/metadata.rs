//! Metadata, and what is asked of it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyplug_generated::inmemorydb::v1::condition::Test;
use anyplug_generated::inmemorydb::v1::metadata_value::Kind;
use anyplug_generated::inmemorydb::v1::{Condition, MetadataValue};
use anyplug_sdk::{Error, Result};

/// The metadata of an entry, as messages have it.
pub(crate) type Metadata = BTreeMap<String, MetadataValue>;

/// Says whether metadata is as it must be.
pub(crate) struct Filter(Vec<Condition>);

impl Filter {
    /// What holds where all conditions hold; none if there are none.
    pub(crate) fn new(conditions: Vec<Condition>) -> Result<Option<Self>> {
        for (at, condition) in conditions.iter().enumerate() {
            check_test(&format!("filter[{at}]"), condition)?;
        }
        Ok((!conditions.is_empty()).then_some(Self(conditions)))
    }

    /// Whether this metadata passes.
    pub(crate) fn passes(&self, metadata: &Metadata) -> bool {
        self.0.iter().all(|Condition { field, test }| {
            let value = metadata.get(field).and_then(|value| value.kind.as_ref());
            test.as_ref().is_none_or(|test| holds(test, value))
        })
    }
}

/// Refuses metadata that cannot be kept; of several members that are wrong it names the lowest.
pub(crate) fn check(place: &str, metadata: &Metadata) -> Result<()> {
    metadata.iter().try_for_each(|(name, value)| check_value(&format!("{place}[\"{name}\"]"), Some(value)))
}

fn check_test(place: &str, condition: &Condition) -> Result<()> {
    let (name, value) = match &condition.test {
        None => return Err(Error::invalid_argument(format!("{place}: expected a test, got nothing"))),
        Some(Test::Exists(_)) => return Ok(()),
        Some(Test::AnyOf(any)) => {
            return (0..)
                .zip(&any.values)
                .try_for_each(|(at, value): (usize, _)| check_value(&format!("{place}.any_of[{at}]"), Some(value)));
        }
        Some(Test::Equals(value)) => ("equals", value),
        Some(Test::NotEquals(value)) => ("not_equals", value),
        Some(Test::LessThan(value)) => ("less_than", value),
        Some(Test::AtMost(value)) => ("at_most", value),
        Some(Test::GreaterThan(value)) => ("greater_than", value),
        Some(Test::AtLeast(value)) => ("at_least", value),
    };
    check_value(&format!("{place}.{name}"), Some(value))
}

fn check_value(place: &str, value: Option<&MetadataValue>) -> Result<()> {
    match value.and_then(|value| value.kind.as_ref()) {
        None => Err(Error::invalid_argument(format!("{place}: expected text, a number or a flag, got nothing"))),
        Some(Kind::Number(number)) if !number.is_finite() => {
            Err(Error::invalid_argument(format!("{place}: expected a finite number")))
        }
        Some(_) => Ok(()),
    }
}

fn holds(test: &Test, value: Option<&Kind>) -> bool {
    let order = |given: &MetadataValue| compare(value?, given.kind.as_ref()?);
    match test {
        Test::Equals(given) => order(given).is_some_and(Ordering::is_eq),
        Test::NotEquals(given) => !order(given).is_some_and(Ordering::is_eq),
        Test::AnyOf(given) => given.values.iter().any(|given| order(given).is_some_and(Ordering::is_eq)),
        Test::LessThan(given) => order(given).is_some_and(Ordering::is_lt),
        Test::AtMost(given) => order(given).is_some_and(Ordering::is_le),
        Test::GreaterThan(given) => order(given).is_some_and(Ordering::is_gt),
        Test::AtLeast(given) => order(given).is_some_and(Ordering::is_ge),
        Test::Exists(exists) => value.is_some() == *exists,
    }
}

/// The order of two of one kind; none of others.
fn compare(a: &Kind, b: &Kind) -> Option<Ordering> {
    match (a, b) {
        (Kind::Text(a), Kind::Text(b)) => Some(a.cmp(b)),
        (Kind::Number(a), Kind::Number(b)) => a.partial_cmp(b),
        (Kind::Flag(a), Kind::Flag(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
