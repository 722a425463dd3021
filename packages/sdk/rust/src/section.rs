//! What is known of a plugin when it is built: the custom section by which a host knows a module before it runs it, and the hello in the table of a shared library, which is the section behind its
//! first four bytes.

use anyplug_core::connection::RUNTIME;
use anyplug_core::hello::{MIN_PROTOCOL, PROTOCOL};

/// The version of the embedded ABI.
pub(crate) const ABI_VERSION: u32 = 1;

/// The fields of `anyplug.wire.v1.Hello` that are strings: number and wire type.
const NAME: u8 = 3 << 3 | 2;
const VERSION: u8 = 4 << 3 | 2;
const RUNTIME_FIELD: u8 = 5 << 3 | 2;
const START: [u8; 8] = {
    let [a, b, c, d] = ABI_VERSION.to_le_bytes();
    [a, b, c, d, 1 << 3, PROTOCOL as u8, 2 << 3, MIN_PROTOCOL as u8]
};

/// How long the section is.
pub const fn section_bytes(name: &str, version: &str) -> usize {
    START.len() + 6 + name.len() + version.len() + RUNTIME.len()
}

/// The section: the version of the ABI, and a HELLO with what is known when the module is built.
///
/// # Panics
/// While the module is compiled, when `name` or `version` has more than 127 bytes.
#[expect(clippy::panic, reason = "at compile time")]
pub const fn section<const N: usize>(name: &str, version: &str) -> [u8; N] {
    if name.len() > 127 || version.len() > 127 {
        panic!("the name and the version of a plugin have at most 127 bytes");
    }
    let (mut section, mut at) = ([0; N], 0);
    while at < START.len() {
        section[at] = START[at];
        at += 1;
    }
    (section, at) = field(section, at, NAME, name);
    (section, at) = field(section, at, VERSION, version);
    (section, _) = field(section, at, RUNTIME_FIELD, RUNTIME);
    section
}

const fn field<const N: usize>(mut section: [u8; N], at: usize, key: u8, text: &str) -> ([u8; N], usize) {
    let bytes = text.as_bytes();
    section[at] = key;
    section[at + 1] = bytes.len() as u8;
    let mut index = 0;
    while index < bytes.len() {
        section[at + 2 + index] = bytes[index];
        index += 1;
    }
    (section, at + 2 + bytes.len())
}
