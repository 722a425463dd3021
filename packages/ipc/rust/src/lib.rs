//! anyplug transport over a child process.
//!
//! [`start_process`] starts a program with a channel on descriptors of its own; the process leads a group, is watched by the [`WATCHDOG`], and what it prints is captured.

mod capture;
mod environment;
mod exit;
mod output;
mod pipe;
mod process;
mod program;
mod spawn;
mod spin;
mod watchdog;

pub use capture::{KEPT_LINES, LineCapture, MAX_LINE_LENGTH};
pub use environment::{
    CHANNEL_VARIABLE, CONFIG_VARIABLE, Environment, EnvironmentOptions, InheritEnv, child_environment,
};
pub use exit::{Exit, describe_exit, describe_output};
pub use pipe::{Moved, Pipe};
pub use process::{OnLine, PluginProcess, ProcessOptions, Stream, start_process};
pub use program::{ProgramPlace, find_program, is_executable, script_interpreter};
pub use spin::Spin;
pub use watchdog::{WATCHDOG, Watchdog};
