//! Greetings as JSON.

use anyplug::Service;
use anyplug::json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use anyplug_generated::greeter::v1::{GreetRequest, Greeter};

fn main() -> anyplug::Result<()> {
    let (read, write) = (JsonReadOptions::default(), JsonWriteOptions::default());
    let types = JsonTypes::new([Greeter::DESCRIPTOR.descriptor_set]);
    println!("{}", types.to_json(&GreetRequest { name: "Ada".into() }, write)?);
    println!("{}", types.from_json::<GreetRequest>(r#"{"name": "Grace"}"#, read)?.name);
    let bytes = types.json_to_bytes("greeter.v1.GreetRequest", "{}", read)?;
    println!("{}", types.bytes_to_json("greeter.v1.GreetRequest", &bytes, write)?);
    Ok(())
}
