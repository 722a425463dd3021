//! The threads of a process that its transports share where calls do not leave it: one that tells what is due ([`timer`]), and as many as are needed at once for work that no caller's thread does
//! ([`workers`]). Both begin when they are first needed, and anew in a fork.

pub mod timer;
pub mod workers;
