//! proto3 JSON: messages as JSON, by the descriptors that generated code carries.
//!
//! ```
//! use anyplug_generated::greeter::v1::{GreetRequest, Greeter};
//! use anyplug_core::Service;
//! use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
//!
//! # fn main() -> anyplug_core::Result<()> {
//! let types = JsonTypes::new([Greeter::DESCRIPTOR.descriptor_set]);
//! let json = types.to_json(&GreetRequest { name: "Ada".into() }, JsonWriteOptions::default())?;
//! assert_eq!(json, r#"{"name":"Ada"}"#);
//! let bytes = types.json_to_bytes("greeter.v1.GreetRequest", &json, JsonReadOptions::default())?;
//! assert_eq!(bytes, b"\x0a\x03Ada");
//! # Ok(())
//! # }
//! ```

mod fault;
mod options;
mod pool;
mod read;
mod text;
mod types;
mod well_known;
mod wire;
mod write;

pub use options::{JsonReadOptions, JsonWriteOptions};
pub use text::base64::{from_base64, push_base64};
pub use text::json::{Json, Member, Members};
pub use text::parse::parse_json;
pub use types::{JsonTypes, MethodTypes};
