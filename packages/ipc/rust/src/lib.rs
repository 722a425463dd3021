//! anyplug transport over a child process, a Unix socket or TCP.
//!
//! [`connect_socket`] is the host's end of a socket, and [`Listener`] the plugin's.
//! [`start_process`] starts a program with a channel on descriptors of its own; the process leads a group, is watched by the [`WATCHDOG`], and what it prints is captured.
//! A host moves the channel's bytes by a [`Driver`], a plugin by a [`Server`] over the [`Pipe`] that [`open_channel`] gives it; both stand on a [`Pump`], which has no thread and needs no
//! runtime, so that an event loop can lead it as well.

mod address;
mod capture;
mod carry;
mod company;
mod connect;
mod credentials;
mod driver;
mod environment;
mod exit;
mod kick;
mod listen;
mod output;
mod pipe;
mod preface;
mod process;
mod program;
mod pump;
mod runtime;
mod serve;
mod spawn;
mod spin;
mod stdio;
mod tasks;
mod tls;
mod watchdog;

pub use address::{Address, JSON_RPC_PREFIX, Place, is_loopback, json_rpc_place};
pub use capture::{KEPT_LINES, LineCapture, MAX_LINE_LENGTH};
pub use connect::{ConnectOptions, Connected, connect_socket};
pub use driver::{Driver, Ending};
pub use environment::{
    CHANNEL_VARIABLE, CONFIG_VARIABLE, Environment, EnvironmentOptions, InheritEnv, LISTEN_VARIABLE, child_environment,
};
pub use exit::{Exit, describe_exit, describe_output};
pub use listen::{Incoming, Listener, ListenerOptions};
pub use pipe::{Moved, Pipe};
pub use preface::{Preface, hear_preface};
pub use process::{OnLine, PluginProcess, ProcessOptions, Stream, start_process};
pub use program::{ProgramPlace, find_program, is_executable, script_interpreter};
pub use pump::{Carry, Leader, OnPrinted, Pump, Turn};
pub use runtime::Runtime;
pub use serve::{Server, open_channel, open_standard_streams};
pub use spin::Spin;
pub use stdio::{Prelude, Told};
pub use tasks::spawn as spawn_task;
pub use tls::TlsOptions;
pub use watchdog::{WATCHDOG, Watchdog};
