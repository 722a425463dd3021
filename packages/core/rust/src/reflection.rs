//! The service that tells a peer the schemas of the others. It is the first of every method table.

use std::sync::Arc;

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

use crate::channel::BoxFuture;
use crate::descriptor::{MethodEntry, MethodKind, ServiceEntry};
use crate::error::{Error, Result};
use crate::hello::REFLECTION_SERVICE;
use crate::reflection_wire as wire;
use crate::router::{Implementation, ServeRaw, ServerCall};
use crate::transport::Payload;

/// The name of the one method of reflection.
pub(crate) const GET_DESCRIPTORS: &str = "GetDescriptors";

/// The handler of `anyplug.reflection.v1.ReflectionService`.
pub(crate) struct Reflection {
    served: Vec<Arc<ServiceEntry>>,
    used: Vec<Arc<ServiceEntry>>,
}

impl Reflection {
    /// Reflection over the services that one side serves and uses.
    pub(crate) fn implementation(services: &[Implementation], uses: &[Arc<ServiceEntry>]) -> Implementation {
        let entry = ServiceEntry {
            name: REFLECTION_SERVICE.into(),
            methods: vec![MethodEntry::new(GET_DESCRIPTORS, MethodKind::Unary)],
            ..ServiceEntry::default()
        };
        let served = services.iter().map(|service| service.service().clone()).collect();
        Implementation::raw(entry, Arc::new(Self { served, used: uses.to_vec() }))
    }

    fn answer(&self, request: wire::GetDescriptorsRequest) -> Result<wire::GetDescriptorsResponse> {
        let mut wanted = Vec::new();
        if request.services.is_empty() {
            wanted.extend(&self.served);
        }
        for name in &request.services {
            let found = self.served.iter().chain(&self.used).find(|entry| entry.name == name.as_str());
            wanted.push(found.ok_or_else(|| Error::not_found(format!("{name} is neither served nor used here")))?);
        }
        let mut merged = Vec::new();
        let mut seen = Vec::new();
        for entry in wanted {
            append_files(&entry.descriptor_set, &mut seen, &mut merged).map_err(|error| {
                error.map_message(|message| format!("the descriptors of {} cannot be read: {message}", entry.name))
            })?;
        }
        Ok(wire::GetDescriptorsResponse { file_descriptor_set: merged })
    }
}

impl ServeRaw for Reflection {
    fn serve(&self, _method: usize, mut call: ServerCall) -> Option<BoxFuture<()>> {
        let Some(request) = call.take_request() else {
            call.finish(Err(Error::internal("GetDescriptors takes one request, sent with the call")));
            return None;
        };
        match request.into_message().and_then(|request| self.answer(request)) {
            Ok(response) => {
                let response = Payload::of(response, call.stream().passes_objects());
                if let Err(error) = call.send(response, true) {
                    // Most errors have ended the call, and then this does nothing.
                    call.stream().end(Err(error));
                }
            }
            Err(error) => call.finish(Err(error)),
        }
        None
    }
}

/// Appends the files of a `FileDescriptorSet` whose names are not in `seen`, as they are.
fn append_files<'a>(set: &'a [u8], seen: &mut Vec<&'a [u8]>, out: &mut Vec<u8>) -> Result<()> {
    let mut rest = set;
    while let Some(file) = next_field(&mut rest, 1)? {
        let mut members = file;
        let name = next_field(&mut members, 1)?.unwrap_or_default();
        if !seen.contains(&name) {
            seen.push(name);
            encode_key(1, WireType::LengthDelimited, out);
            encode_varint(file.len() as u64, out);
            out.extend_from_slice(file);
        }
    }
    Ok(())
}

/// The bytes of the next field of this number; others are skipped.
fn next_field<'a>(rest: &mut &'a [u8], number: u32) -> Result<Option<&'a [u8]>> {
    let broken = |error: prost::DecodeError| Error::internal(error.to_string());
    while !rest.is_empty() {
        let (tag, wire_type) = decode_key(rest).map_err(broken)?;
        if tag != number || wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, rest, Default::default()).map_err(broken)?;
            continue;
        }
        let length = decode_varint(rest).map_err(broken)?;
        let Some((field, after)) = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) else {
            return Err(Error::internal("a descriptor set is truncated"));
        };
        *rest = after;
        return Ok(Some(field));
    }
    Ok(None)
}
