//! A set of message types, and their JSON.

use std::fmt;
use std::sync::OnceLock;

use anyplug_core::{Error, Result};
use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::options::{JsonReadOptions, JsonWriteOptions};
use crate::pool::pool_of;
use crate::read::Reader;
use crate::text::json::Json;
use crate::text::parse::parse_json;
use crate::write::Writer;

/// What a method takes and gives: types by their full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodTypes {
    /// The type of its requests.
    pub input: String,
    /// The type of its responses.
    pub output: String,
    /// The caller sends a stream.
    pub streams_requests: bool,
    /// The callee sends a stream.
    pub streams_responses: bool,
}

/// A set of message types: those of its sources, all that they reach, and the well-known types. It is what `google.protobuf.Any` is resolved by.
///
/// Descriptors are read when the set is first used; make a set once and keep it.
pub struct JsonTypes {
    sets: Vec<Vec<u8>>,
    pool: OnceLock<Result<DescriptorPool>>,
}

impl JsonTypes {
    /// A set of the types in each `google.protobuf.FileDescriptorSet`, such as the one that the descriptor of a service has. What is
    /// wrong with one is told by the first use.
    pub fn new(sets: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        Self { sets: sets.into_iter().map(|set| set.as_ref().to_vec()).collect(), pool: OnceLock::new() }
    }

    /// Whether there is a message type of this full name.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when a descriptor set cannot be used.
    pub fn has(&self, type_name: &str) -> Result<bool> {
        Ok(self.pool()?.get_message_by_name(type_name).is_some())
    }

    /// The JSON of a message.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it has none, NOT_FOUND when its type is not in the set.
    pub fn to_json<M: prost::Message + prost::Name>(&self, message: &M, options: JsonWriteOptions) -> Result<String> {
        self.bytes_to_json(&M::full_name(), &message.encode_to_vec(), options)
    }

    /// The message that a JSON text means.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it means none, NOT_FOUND when the type is not in the set.
    pub fn from_json<M: prost::Message + prost::Name + Default>(
        &self,
        json: &str,
        options: JsonReadOptions,
    ) -> Result<M> {
        let bytes = self.json_to_bytes(&M::full_name(), json, options)?;
        M::decode(&*bytes).map_err(|error| Error::invalid_argument(error.to_string()).with_source(error))
    }

    /// The JSON of a message that is given by its type's full name and its bytes.
    ///
    /// # Errors
    ///
    /// As [`to_json`](Self::to_json).
    pub fn bytes_to_json(&self, type_name: &str, bytes: &[u8], options: JsonWriteOptions) -> Result<String> {
        let message = self.find(type_name)?;
        Writer::new(self.pool()?, options).write(&message, bytes).map_err(|fault| fault.of(type_name))
    }

    /// The bytes of the message that a JSON text means.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn json_to_bytes(&self, type_name: &str, json: &str, options: JsonReadOptions) -> Result<Vec<u8>> {
        // What the types are is told before what the text is.
        self.find(type_name)?;
        self.value_to_bytes(type_name, &parse_json(json)?, options)
    }

    /// The bytes of the message that a value of JSON means.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn value_to_bytes(&self, type_name: &str, json: &Json<'_>, options: JsonReadOptions) -> Result<Vec<u8>> {
        let message = self.find(type_name)?;
        Reader::new(self.pool()?, options).read(&message, json).map_err(|fault| fault.of(type_name))
    }

    /// What a method takes and gives; none when there is no such service or method.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when a descriptor set cannot be used.
    pub fn method_types(&self, service: &str, method: &str) -> Result<Option<MethodTypes>> {
        let service = self.pool()?.get_service_by_name(service);
        let found = service.and_then(|service| service.methods().find(|one| one.name() == method));
        Ok(found.map(|method| MethodTypes {
            input: method.input().full_name().to_owned(),
            output: method.output().full_name().to_owned(),
            streams_requests: method.is_client_streaming(),
            streams_responses: method.is_server_streaming(),
        }))
    }

    fn find(&self, type_name: &str) -> Result<MessageDescriptor> {
        self.pool()?.get_message_by_name(type_name).ok_or_else(|| {
            Error::not_found(format!("{type_name} is not among the types: give JsonTypes a descriptor set with it"))
        })
    }

    fn pool(&self) -> Result<&DescriptorPool> {
        self.pool.get_or_init(|| pool_of(&self.sets)).as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for JsonTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonTypes").field("sets", &self.sets.len()).finish_non_exhaustive()
    }
}
