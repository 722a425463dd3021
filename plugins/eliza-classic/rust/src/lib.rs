//! ELIZA as Weizenbaum described it in 1966, with the DOCTOR script.
//!
//! ```
//! use eliza_classic::Eliza;
//!
//! let mut session = Eliza::default().new_session();
//! assert_eq!(session.reply("Men are all alike.")?, "IN WHAT WAY");
//! # Ok::<(), eliza_classic::InputError>(())
//! ```

mod characters;
mod decompose;
mod doctor;
mod eliza;
mod errors;
mod hash;
mod links;
mod parse;
mod plugin;
mod reader;
mod reassemble;
mod script;
mod session;
mod sessions;
mod tokens;
mod words;

pub use doctor::doctor;
pub use eliza::Eliza;
pub use errors::{InputError, ScriptError};
pub use parse::parse_script;
pub use plugin::plugin;
pub use script::Script;
pub use session::{MAX_MEMORIES, MAX_MEMORY_CHARACTERS, Session};
pub use sessions::{DEFAULT_MAX_SESSIONS, MAX_ID_CHARACTERS, Sessions};
pub use tokens::MAX_SCRIPT_CHARACTERS;
pub use words::MAX_LINE_CHARACTERS;
