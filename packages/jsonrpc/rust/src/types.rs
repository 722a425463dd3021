//! The messages of a method as JSON.

use std::sync::Arc;

use anyplug_core::{Error, MethodKind, Result, ServiceEntry};
use anyplug_json::{Json, JsonReadOptions, JsonTypes, JsonWriteOptions};

/// A method, and what turns its messages into JSON and back.
#[derive(Debug)]
pub(crate) struct Method {
    /// `package.Service/Method`.
    pub(crate) path: String,
    pub(crate) kind: MethodKind,
    pub(crate) input: String,
    pub(crate) output: String,
    /// The place in the table of the side that serves it.
    pub(crate) index: u16,
    types: Arc<JsonTypes>,
}

impl Method {
    /// The method of that name.
    ///
    /// # Errors
    /// INTERNAL when it is not in the descriptors.
    pub(crate) fn new(types: &Arc<JsonTypes>, service: &str, name: &str, index: usize) -> Result<Self> {
        let path = format!("{service}/{name}");
        let found = types
            .method_types(service, name)?
            .ok_or_else(|| Error::internal(format!("{path} is not in the descriptors of its service")))?;
        let kind = match (found.streams_requests, found.streams_responses) {
            (false, false) => MethodKind::Unary,
            (false, true) => MethodKind::ServerStream,
            (true, false) => MethodKind::ClientStream,
            (true, true) => MethodKind::BidiStream,
        };
        let index = u16::try_from(index).map_err(|_| Error::internal("there are too many methods"))?;
        let types = types.clone();
        Ok(Self { path, kind, input: found.input, output: found.output, index, types })
    }

    /// The methods of a service, in its order.
    pub(crate) fn all_of(service: &ServiceEntry) -> Result<Vec<Arc<Self>>> {
        let types = Arc::new(JsonTypes::new([&service.descriptor_set]));
        let methods = service.methods.iter().enumerate();
        methods.map(|(index, method)| Self::new(&types, &service.name, &method.name, index).map(Arc::new)).collect()
    }

    /// INVALID_ARGUMENT when it is no request of this method.
    pub(crate) fn request(&self, json: &Json<'_>) -> Result<Vec<u8>> {
        self.types.value_to_bytes(&self.input, or_empty(json), JsonReadOptions::default())
    }

    pub(crate) fn request_text(&self, bytes: &[u8]) -> Result<String> {
        self.types.bytes_to_json(&self.input, bytes, JsonWriteOptions::default())
    }

    /// INTERNAL when it is no response of this method: the peer is at fault.
    pub(crate) fn response(&self, json: &Json<'_>) -> Result<Vec<u8>> {
        self.types.value_to_bytes(&self.output, or_empty(json), JsonReadOptions::default()).map_err(|error| {
            Error::internal(format!("the answer of {} cannot be used: {}", self.path, error.message()))
        })
    }

    pub(crate) fn response_text(&self, bytes: &[u8]) -> Result<String> {
        self.types.bytes_to_json(&self.output, bytes, JsonWriteOptions::default())
    }

    /// "unary", "server_stream", "client_stream" or "bidi_stream".
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            MethodKind::Unary => "unary",
            MethodKind::ServerStream => "server_stream",
            MethodKind::ClientStream => "client_stream",
            MethodKind::BidiStream => "bidi_stream",
        }
    }
}

fn or_empty<'a>(json: &'a Json<'a>) -> &'a Json<'a> {
    const NO_MEMBERS: &Json<'static> = &Json::Object(Vec::new());
    if matches!(json, Json::Null) { NO_MEMBERS } else { json }
}

/// A request as `params` have it: an object as it is, anything else as the one parameter by its position.
pub(crate) fn params_of(request: String) -> String {
    if request.starts_with('{') { request } else { format!("[{request}]") }
}

/// The one request that `params` mean.
///
/// # Errors
/// INVALID_ARGUMENT for more than one.
pub(crate) fn only_param<'a>(params: &'a Json<'a>) -> Result<&'a Json<'a>> {
    match params {
        Json::Array(positions) => match &positions[..] {
            [] => Ok(&Json::Null),
            [only] => Ok(only),
            more => Err(Error::invalid_argument(format!(
                "params: expected the request, got {} by their positions",
                more.len()
            ))),
        },
        other => Ok(other),
    }
}
