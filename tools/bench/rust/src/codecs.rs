//! Encoding and decoding of the message of 1.2 kB.

use anyplug_generated::anyplug::bench::v1::Order;
use prost::Message as _;

use crate::derived::Order as Derived;
use crate::order::{PlainOrder, order, plain_order};
use crate::{Answer, Contender, Failure, clock};

const MESSAGE: &str = include_str!("../../order.json");

/// The message in each form.
pub(crate) struct Codecs {
    message: Order,
    derived: Derived,
    bytes: Vec<u8>,
    plain: PlainOrder,
    json: Vec<u8>,
    codec: String,
}

impl Codecs {
    /// Makes the message and what it encodes to, for one codec.
    ///
    /// # Errors
    /// When order.json is not the message.
    pub(crate) fn new(codec: &str) -> Result<Self, Failure> {
        let message = order(plain_order(MESSAGE)?);
        let plain = plain_order(MESSAGE)?;
        let (bytes, json) = (message.encode_to_vec(), serde_json::to_vec(&plain)?);
        let derived = Derived::decode(bytes.as_slice())?;
        if derived.encode_to_vec() != bytes {
            return Err("prost's message is another".into());
        }
        Ok(Self { message, derived, bytes, plain, json, codec: codec.to_owned() })
    }
}

impl Contender for Codecs {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let Self { message, derived, bytes, plain, json, codec } = self;
        Ok(match (codec.as_str(), what) {
            ("anyplug", "encode") => clock::operation(ms, || message.encode_to_vec()),
            ("anyplug", "decode") => clock::operation(ms, || Order::decode(bytes.as_slice())),
            ("prost", "encode") => clock::operation(ms, || derived.encode_to_vec()),
            ("prost", "decode") => clock::operation(ms, || Derived::decode(bytes.as_slice())),
            ("serde_json", "encode") => clock::operation(ms, || serde_json::to_vec(plain)),
            ("serde_json", "decode") => clock::operation(ms, || serde_json::from_slice::<PlainOrder>(json)),
            ("copy", "encode" | "decode") => clock::operation(ms, || bytes.to_vec()),
            _ => return Err(format!("{codec:?} cannot run {what:?}").into()),
        })
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
