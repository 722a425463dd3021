//! What is refused, and in which words.

use anyplug_sdk::{Error, Result};

/// As many dimensions as a vector may have.
pub(crate) const MAX_DIMENSIONS: usize = 65_536;

/// Refuses names and keys that are empty.
pub(crate) fn name(place: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid_argument(format!("{place}: expected text, got nothing")));
    }
    Ok(())
}

/// Refuses vectors with a number that is not finite.
pub(crate) fn floats(place: &str, vector: &[f32]) -> Result<()> {
    match vector.iter().position(|float| !float.is_finite()) {
        None => Ok(()),
        Some(wrong) => Err(Error::invalid_argument(format!("{place}[{wrong}]: expected a finite number of 32 bits"))),
    }
}

/// Refuses a vector that has other dimensions than the collection; 0 says that it has none yet.
pub(crate) fn dimensions(place: &str, got: usize, expected: usize, collection: &str) -> Result<()> {
    if expected != 0 && got != expected {
        return Err(Error::invalid_argument(format!(
            "{place}: expected {expected} dimensions, as collection \"{collection}\" has, got {got}"
        )));
    }
    if got > MAX_DIMENSIONS {
        return Err(Error::invalid_argument(format!(
            "{place}: expected at most {MAX_DIMENSIONS} dimensions, got {got}"
        )));
    }
    Ok(())
}

/// A parameter, or its usual value for 0.
pub(crate) fn parameter(place: &str, value: u32, usual: u32, least: u32, most: u32) -> Result<u32> {
    let chosen = if value == 0 { usual } else { value };
    if !(least..=most).contains(&chosen) {
        return Err(Error::invalid_argument(format!("{place}: expected {least} to {most}, got {chosen}")));
    }
    Ok(chosen)
}
