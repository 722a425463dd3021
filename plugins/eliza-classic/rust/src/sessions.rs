//! Conversations by their ids.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::eliza::Eliza;
use crate::errors::InputError;
use crate::session::Session;

/// How many conversations are kept if nothing else is said.
pub const DEFAULT_MAX_SESSIONS: usize = 10_000;
/// The longest id, in characters (Unicode scalar values).
pub const MAX_ID_CHARACTERS: usize = 1_024;
/// Uses that no longer count are swept when there are this many more of them than conversations.
const SPARE_USES: usize = 64;

/// Keeps the conversations that were spoken in last, and forgets the others: their ids begin anew.
#[derive(Debug)]
pub struct Sessions {
    eliza: Eliza,
    max_sessions: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The sessions, each with the number of its last use.
    sessions: HashMap<Arc<str>, (u64, Session)>,
    /// The numbers of uses and the ids, the earliest first. Where an id was used later, or forgotten, the use no longer counts.
    uses: VecDeque<(u64, Arc<str>)>,
    last_use: u64,
}

impl Sessions {
    /// Keeps up to [`DEFAULT_MAX_SESSIONS`] conversations.
    #[must_use]
    pub fn new(eliza: Eliza) -> Self {
        Self::with_max_sessions(eliza, DEFAULT_MAX_SESSIONS)
    }

    /// Keeps up to `max_sessions` conversations, which is at least 1.
    #[must_use]
    pub fn with_max_sessions(eliza: Eliza, max_sessions: usize) -> Self {
        Self { eliza, max_sessions: max_sessions.max(1), kept: Mutex::default() }
    }

    /// How many conversations are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Whether no conversation is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the answer to a line of the conversation with this id, which any string can be, the empty one too.
    ///
    /// # Errors
    ///
    /// The line or the id is too long.
    pub fn reply(&self, session_id: &str, line: &str) -> Result<String, InputError> {
        if session_id.len() > MAX_ID_CHARACTERS {
            let characters = session_id.chars().count();
            if characters > MAX_ID_CHARACTERS {
                return Err(InputError::new(format!(
                    "the session id has {characters} characters, and at most {MAX_ID_CHARACTERS} serve"
                )));
            }
        }
        let mut kept = self.lock();
        let (id, mut session) = kept.take(session_id).unwrap_or_else(|| (session_id.into(), self.eliza.new_session()));
        let answer = session.reply(line);
        kept.put(id, session);
        if kept.sessions.len() > self.max_sessions {
            kept.forget_oldest();
        }
        answer
    }

    /// Forgets a conversation, if there is one with this id.
    pub fn forget(&self, session_id: &str) {
        self.lock().take(session_id);
    }

    /// A panic under the lock would lose the session that was spoken in, and harm no other.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, session_id: &str) -> Option<(Arc<str>, Session)> {
        self.sessions.remove_entry(session_id).map(|(id, (_, session))| (id, session))
    }

    fn put(&mut self, id: Arc<str>, session: Session) {
        self.last_use += 1;
        self.uses.push_back((self.last_use, Arc::clone(&id)));
        self.sessions.insert(id, (self.last_use, session));
        if self.uses.len() > 2 * self.sessions.len() + SPARE_USES {
            self.uses.retain(|(number, id)| self.sessions.get(id).is_some_and(|(last, _)| last == number));
        }
    }

    fn forget_oldest(&mut self) {
        while let Some((number, id)) = self.uses.pop_front() {
            if self.sessions.get(&id).is_some_and(|(last, _)| *last == number) {
                self.sessions.remove(&id);
                return;
            }
        }
    }
}
