//! The DOCTOR script of 1966, which comes with the crate.

use std::sync::{Arc, LazyLock};

use crate::parse::parse_script;
use crate::script::Script;

static DOCTOR: LazyLock<Arc<Script>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "it is a part of the program, and the tests parse it")]
    let script = parse_script(include_str!("../data/doctor-1966.txt")).expect("the DOCTOR script is well-formed");
    Arc::new(script)
});

/// Returns the DOCTOR script.
#[must_use]
pub fn doctor() -> Arc<Script> {
    Arc::clone(&DOCTOR)
}
