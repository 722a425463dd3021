//! Runs prost-build as a buf plugin: reads a `CodeGeneratorRequest` from standard input and writes the messages of each
//! protobuf package to `<package path>/messages.rs`.
//!
//! The files are not modules of their own: prost refers to other packages by `super::`, so each is meant to be included
//! in the module of its package. `protoc-gen-anyplug` with `target=rust` writes those modules, with the stubs beside.
//!
//! Of what a careful user would want of the messages, prost gives all but one thing: it drops unknown fields.

mod options;
mod request;

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use prost::Message;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse, code_generator_response::Feature};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("protoc-gen-prost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    let request = CodeGeneratorRequest::decode(&*bytes)?;
    let mut response =
        CodeGeneratorResponse { supported_features: Some(Feature::Proto3Optional as u64), ..Default::default() };
    // What the schema's author can mend goes back in the response, so that buf shows it as an error of the schema.
    match request::generate(request) {
        Ok(files) => response.file = files,
        Err(message) => response.error = Some(message),
    }
    stdout().write_all(&response.encode_to_vec())?;
    Ok(())
}
