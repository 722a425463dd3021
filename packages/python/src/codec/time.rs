//! `google.protobuf.Timestamp` and `Duration` as betterproto2 has them in fields: datetime and timedelta. These count microseconds, so the last three digits of nanoseconds are
//! cut off in reading; the messages themselves, where they are not a field of another, keep them.

use pyo3::exceptions::PyOverflowError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::fault::Fault;
use super::scalar::wrong;
use super::wire::{Reader, VARINT, Writer};

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// Seconds and nanoseconds, fields 1 and 2 of either message.
#[derive(Clone, Copy, Default)]
pub(super) struct Parts {
    seconds: i64,
    nanos: i32,
}

impl Parts {
    /// Reads what is there on top of what was.
    pub(super) fn merge(mut self, mut reader: Reader<'_>, depth: u32) -> Result<Self, Fault> {
        while !reader.is_empty() {
            match reader.tag()? {
                tag if tag == 1 << 3 | VARINT => self.seconds = reader.varint()? as i64,
                tag if tag == 2 << 3 | VARINT => self.nanos = reader.varint()? as i32,
                // An attribute of Python's own type has no place for a field that neither message has.
                tag => reader.skip(tag, depth)?,
            }
        }
        Ok(self)
    }

    pub(super) fn write(self, writer: &mut Writer) {
        let before = writer.len();
        if self.nanos != 0 {
            writer.varint(i64::from(self.nanos) as u64);
            writer.varint((2 << 3 | VARINT).into());
        }
        if self.seconds != 0 {
            writer.varint(self.seconds as u64);
            writer.varint((1 << 3 | VARINT).into());
        }
        writer.length_since(before);
    }

    pub(super) fn of_datetime(value: &Bound<'_, PyAny>) -> Result<Self, Fault> {
        let py = value.py();
        if !value.is_instance(class(py, &DATETIME, "datetime")?)? {
            return Err(wrong(value, "a datetime"));
        }
        if value.getattr(intern!(py, "tzinfo"))?.is_none() {
            return Err(wrong(value, "a datetime with a time zone, such as datetime.now(timezone.utc)"));
        }
        let since = value.sub(epoch(py)?)?;
        let (seconds, micros) = seconds_of(&since)?;
        Ok(Self { seconds, nanos: micros * 1000 })
    }

    pub(super) fn of_timedelta(value: &Bound<'_, PyAny>) -> Result<Self, Fault> {
        if !value.is_instance(class(value.py(), &TIMEDELTA, "timedelta")?)? {
            return Err(wrong(value, "a timedelta"));
        }
        // Of a negative duration both parts are negative, where timedelta counts up from the second below.
        let (seconds, micros) = seconds_of(value)?;
        let borrow = seconds < 0 && micros > 0;
        let (seconds, micros) = if borrow { (seconds + 1, micros - MICROS as i32) } else { (seconds, micros) };
        Ok(Self { seconds, nanos: micros * 1000 })
    }

    pub(super) fn to_datetime(self, py: Python<'_>) -> Result<Bound<'_, PyAny>, Fault> {
        let micros = i128::from(self.seconds) * i128::from(MICROS) + i128::from(self.nanos.div_euclid(1000));
        let since = timedelta(py, micros)
            .map_err(|error| self.unheld(py, error, "a datetime, which has the years 1 to 9999"))?;
        epoch(py)?.add(since).map_err(|error| self.unheld(py, error, "a datetime, which has the years 1 to 9999"))
    }

    pub(super) fn to_timedelta(self, py: Python<'_>) -> Result<Bound<'_, PyAny>, Fault> {
        let nanos = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        timedelta(py, nanos / 1000).map_err(|error| self.unheld(py, error, "a timedelta, which has 999,999,999 days"))
    }

    #[cold]
    fn unheld(self, py: Python<'_>, error: PyErr, what: &str) -> Fault {
        match error.is_instance_of::<PyOverflowError>(py) {
            true => Fault::new(format!("{} s and {} ns do not fit in {what}", self.seconds, self.nanos)),
            false => error.into(),
        }
    }
}

static DATETIME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static TIMEDELTA: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn class<'a, 'py>(py: Python<'py>, cell: &'a PyOnceLock<Py<PyType>>, name: &str) -> PyResult<&'a Bound<'py, PyType>> {
    cell.import(py, "datetime", name)
}

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let utc = py.import("datetime")?.getattr("timezone")?.getattr("utc")?;
        class(py, &DATETIME, "datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, utc)).map(Bound::unbind)
    };
    EPOCH.get_or_try_init(py, make).map(|epoch| epoch.bind(py))
}

/// Whole seconds and the microseconds above them.
fn seconds_of(value: &Bound<'_, PyAny>) -> PyResult<(i64, i32)> {
    let py = value.py();
    let days: i64 = value.getattr(intern!(py, "days"))?.extract()?;
    let seconds: i64 = value.getattr(intern!(py, "seconds"))?.extract()?;
    Ok((days * DAY + seconds, value.getattr(intern!(py, "microseconds"))?.extract()?))
}

fn timedelta(py: Python<'_>, micros: i128) -> PyResult<Bound<'_, PyAny>> {
    let (seconds, micros) = (micros.div_euclid(MICROS.into()), micros.rem_euclid(MICROS.into()) as i64);
    let seconds = i64::try_from(seconds).map_err(|_| PyOverflowError::new_err("more seconds than 64 bits"))?;
    class(py, &TIMEDELTA, "timedelta")?.call1((seconds.div_euclid(DAY), seconds.rem_euclid(DAY), micros))
}
