//! The native module of the Python package `anyplug`.
//!
//! What is here moves bytes; messages are encoded and decoded by `anyplug._codec`. Two rules keep threads from waiting for each other: nothing of Python is called while a lock of ours is
//! held, and a thread that may wait lets go of the interpreter first.

mod alone;
mod call;
mod caller;
mod channel;
mod codec;
mod connection;
mod convert;
mod discovery;
mod elizaos;
mod error;
mod extism;
mod fork;
mod frame;
mod guest;
mod json;
mod link;
mod listen;
mod load;
mod looped;
mod parker;
mod service;
mod session;
mod wait;
mod wasm;
mod work;
mod worker;

use pyo3::prelude::*;

/// The native module: see `anyplug/_native.pyi`.
#[pymodule(gil_used = true)]
mod _native {
    #[pymodule_init]
    fn init() {
        crate::fork::watch();
    }

    #[pymodule_export]
    use crate::call::Call;
    #[pymodule_export]
    use crate::caller::Caller;
    #[pymodule_export]
    use crate::channel::Channel;
    #[pymodule_export]
    use crate::codec::{decode_message, encode_message, merge_message, register_message};
    #[pymodule_export]
    use crate::connection::Connection;
    #[pymodule_export]
    use crate::discovery::discover;
    #[pymodule_export]
    use crate::elizaos::ElizaosLibrary;
    #[pymodule_export]
    use crate::extism::Extism;
    #[pymodule_export]
    use crate::frame::{FrameDecoder, decode_header, decode_status, encode_frame, encode_header, encode_status};
    #[pymodule_export]
    use crate::json::JsonTypes;
    #[pymodule_export]
    use crate::listen::{Incoming, Listener, is_address};
    #[pymodule_export]
    use crate::load::{check_compatible, locate_plugin, run_library};
    #[pymodule_export]
    use crate::session::Session;
}
