//! anyplug transport over a child process.
