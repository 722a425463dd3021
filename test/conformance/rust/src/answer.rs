//! What a request is answered with.

use std::sync::LazyLock;

use anyplug_generated::anyplug::test::v1::Everything;
use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use prost::{Message, Name};

use crate::packages::conformance::conformance_request::Payload;
use crate::packages::conformance::conformance_response::Result;
use crate::packages::conformance::{ConformanceRequest, TestCategory, WireFormat};
use crate::packages::protobuf_test_messages::proto3::TestAllTypesProto3;

static JSON: LazyLock<JsonTypes> =
    LazyLock::new(|| JsonTypes::new([include_bytes!("../../descriptors.binpb").as_slice()]));

/// Returns the result of a request; what is not proto3, or neither binary nor JSON, is skipped.
pub(crate) fn answer(request: ConformanceRequest) -> Result {
    match &*request.message_type {
        "protobuf_test_messages.proto3.TestAllTypesProto3" => again::<TestAllTypesProto3>(&request),
        "anyplug.test.v1.Everything" => again::<Everything>(&request),
        other => Result::Skipped(format!("there is no {other}")),
    }
}

/// Reads a message and writes it again.
fn again<M: Message + Name + Default>(request: &ConformanceRequest) -> Result {
    let output = request.requested_output_format();
    if !matches!(output, WireFormat::Protobuf | WireFormat::Json) {
        return Result::Skipped(format!("to {}", output.as_str_name()));
    }
    let ignore_unknown_members = request.test_category() == TestCategory::JsonIgnoreUnknownParsingTest;
    let message = match &request.payload {
        Some(Payload::ProtobufPayload(bytes)) => M::decode(&**bytes).map_err(|error| error.to_string()),
        Some(Payload::JsonPayload(json)) => {
            JSON.from_json::<M>(json, JsonReadOptions { ignore_unknown_members }).map_err(|error| error.to_string())
        }
        _ => return Result::Skipped("neither binary nor JSON".into()),
    };
    let message = match message {
        Ok(message) => message,
        Err(error) => return Result::ParseError(error),
    };
    if output == WireFormat::Protobuf {
        return Result::ProtobufPayload(message.encode_to_vec());
    }
    match JSON.to_json(&message, JsonWriteOptions::default()) {
        Ok(json) => Result::JsonPayload(json),
        Err(error) => Result::SerializeError(error.to_string()),
    }
}
