//! A set of message types, and their JSON.

use std::fmt;
use std::sync::OnceLock;

use anyplug_core::{Error, Result};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

use crate::options::{JsonReadOptions, JsonWriteOptions};
use crate::pool::pool_of;

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
        let message = DynamicMessage::decode(self.find(type_name)?, bytes)
            .map_err(|error| Error::invalid_argument(format!("{type_name}: {error}")).with_source(error))?;
        let mut json = Vec::new();
        let options = SerializeOptions::new()
            .skip_default_fields(!options.print_defaults)
            .use_enum_numbers(options.enums_as_integers)
            .use_proto_field_name(options.proto_field_names);
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options).map_err(refused)?;
        String::from_utf8(json).map_err(|error| Error::internal(error.to_string()))
    }

    /// The bytes of the message that a JSON text means.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn json_to_bytes(&self, type_name: &str, json: &str, options: JsonReadOptions) -> Result<Vec<u8>> {
        use prost::Message as _;
        let mut source = serde_json::Deserializer::from_str(json);
        let options = DeserializeOptions::new().deny_unknown_fields(!options.ignore_unknown_members);
        let message =
            DynamicMessage::deserialize_with_options(self.find(type_name)?, &mut source, &options).map_err(refused)?;
        source.end().map_err(refused)?;
        Ok(message.encode_to_vec())
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

fn refused(error: serde_json::Error) -> Error {
    Error::invalid_argument(error.to_string()).with_source(error)
}
