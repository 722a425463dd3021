//! ELIZA: a script, and the conversations held by it.

use std::sync::Arc;

use crate::doctor::doctor;
use crate::script::Script;
use crate::session::Session;

/// Answers by a script, which is DOCTOR by default.
#[derive(Debug, Clone)]
pub struct Eliza {
    script: Arc<Script>,
}

impl Eliza {
    /// Takes the script that [`parse_script`](crate::parse_script) returned, or [`doctor`].
    #[must_use]
    pub fn new(script: impl Into<Arc<Script>>) -> Self {
        Self { script: script.into() }
    }

    /// What ELIZA says before the first line.
    #[must_use]
    pub fn greeting(&self) -> &str {
        &self.script.greeting
    }

    /// Returns a new conversation.
    #[must_use]
    pub fn new_session(&self) -> Session {
        Session::new(Arc::clone(&self.script))
    }
}

impl Default for Eliza {
    fn default() -> Self {
        Self::new(doctor())
    }
}
