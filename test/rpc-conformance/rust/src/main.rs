//! The client (`rpc-conformance client TRANSPORT`) and the server (`rpc-conformance server TRANSPORT`) under test, and the plugin that a host starts.

mod call;
mod client;
mod convert;
mod delimited;
#[rustfmt::skip]
mod packages;
mod server;
mod service;

use std::process::ExitCode;

use anyplug::sdk::{Plugin, serve};
use anyplug::{LimitOptions, Result};

use crate::packages::connectrpc::conformance::v1::Conformance;
use crate::service::ConformanceService;

/// What the runner asks of every server.
const MAX_MESSAGE_BYTES: u32 = 200 * 1024;

/// The suite's service as a plugin.
fn plugin() -> Plugin {
    Plugin::new("rpc-conformance", env!("CARGO_PKG_VERSION"))
        .service(Conformance::implement(ConformanceService))
        .limits(LimitOptions { max_message_bytes: Some(MAX_MESSAGE_BYTES), ..LimitOptions::default() })
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["client", transport] => run(client::run(transport.to_owned())),
        ["server", transport] => run(server::run(transport)),
        _ => serve(plugin()),
    }
}

fn run(program: impl Future<Output = Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(convert::unavailable).and_then(|runtime| runtime.block_on(program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
