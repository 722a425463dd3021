//! Between what anyplug has and what the suite's messages say.

use anyplug::{Any, Code, Error, Metadata};
use prost::Name;

use crate::packages::connectrpc::conformance::v1::{Error as WireError, Header};

/// The error of a call of the system.
pub(crate) fn unavailable(error: std::io::Error) -> Error {
    Error::unavailable(error.to_string())
}

/// A message with its type.
pub(crate) fn pack<M: Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// Metadata by names, in the order in which these came first.
pub(crate) fn headers_of(metadata: &Metadata) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for (name, value) in metadata.iter() {
        match headers.iter_mut().find(|header| header.name == name) {
            Some(header) => header.value.push(value.to_owned()),
            None => headers.push(Header { name: name.to_owned(), value: vec![value.to_owned()] }),
        }
    }
    headers
}

/// Headers as metadata, whose keys are in lower case.
pub(crate) fn metadata_of(headers: &[Header]) -> impl Iterator<Item = (String, String)> {
    headers.iter().flat_map(|Header { name, value }| value.iter().map(|one| (name.to_ascii_lowercase(), one.clone())))
}

/// An error as a client reports it.
pub(crate) fn report_of(error: &Error) -> WireError {
    WireError {
        code: error.code().number(),
        message: Some(error.message().to_owned()),
        details: error.details().to_vec(),
    }
}

/// The error that a request asks for.
pub(crate) fn error_of(error: WireError) -> Error {
    let code = Code::from_number(error.code).unwrap_or(Code::Unknown);
    error.details.into_iter().fold(Error::new(code, error.message.unwrap_or_default()), Error::with_detail)
}
