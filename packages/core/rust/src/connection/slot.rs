//! The state of a connection: the session, and what is known of each call beside it.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;

use super::action::Actions;
use super::answer::Answer;
use crate::call::ById;
use crate::channel::Instant;
use crate::code::Code;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::header::Metadata;
use crate::session::Session;
use crate::status::Status;

/// What the lock of a connection guards.
pub(super) struct State {
    pub(super) session: Session,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    /// The places of the calls that have not ended.
    by_id: ById<usize>,
    /// No deadline is earlier; the calls are looked through only when this has passed.
    pub(super) earliest: Option<Instant>,
    /// The shell was woken, and has not taken the output yet.
    pub(super) announced: bool,
    /// The thread that has yet to wake it, because others of its tasks may make calls too; 0: none.
    pub(super) holder: usize,
    /// Who waits for a change of the connection itself.
    pub(super) waiting: Vec<Waker>,
    pub(super) draining: bool,
    pub(super) drained: bool,
    pings: u64,
    pub(super) pongs: u64,
    /// Answers that wait until their call is writable.
    pub(super) answers: ById<Answer>,
    /// To be done once the lock is released.
    pub(super) later: Actions,
    /// Results of comparing schemas, by service name and fingerprint of this side.
    pub(super) checked: Vec<(String, String, Result<()>)>,
}

/// What is known of one call. Its place is free again when its handle is dropped, which may be after the call has ended.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) id: u32,
    pub(super) is_callee: bool,
    /// The next message to be read, and whether the session counts it as unread.
    pub(super) first: Option<(Bytes, bool)>,
    /// A message of the peer has come.
    pub(super) received_any: bool,
    /// The peer's last message has come.
    pub(super) received_all: bool,
    /// How the call ended.
    pub(super) outcome: Option<Result<()>>,
    pub(super) reader: Option<Waker>,
    /// What few calls have. Calls are moved about a good deal, so it is kept apart.
    pub(super) rare: Option<Box<Rare>>,
    pub(super) deadline: Option<Instant>,
    pub(super) timeout_ms: u32,
    /// What the handler sees, at the callee. The call's handle has it too, so that it never goes while the lock is held.
    pub(super) context: Option<Context>,
}

/// What most calls have nothing of.
#[derive(Default)]
pub(super) struct Rare {
    header: Option<Metadata>,
    trailer: Metadata,
    writers: Vec<Waker>,
    /// Messages after the first.
    messages: VecDeque<(Bytes, bool)>,
}

impl State {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: ById::default(),
            earliest: None,
            announced: false,
            holder: 0,
            waiting: Vec::new(),
            draining: false,
            drained: false,
            pings: 0,
            pongs: 0,
            answers: ById::default(),
            later: Actions::default(),
            checked: Vec::new(),
        }
    }

    /// Keeps a new call; gives its place.
    pub(super) fn insert(&mut self, slot: Slot) -> usize {
        if let Some(deadline) = slot.deadline {
            self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        }
        let id = slot.id;
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(free) = self.slots.get_mut(place) {
            *free = Some(slot);
        }
        self.by_id.insert(id, place);
        place
    }

    pub(super) fn slot(&mut self, place: usize) -> Option<&mut Slot> {
        self.slots.get_mut(place)?.as_mut()
    }

    /// The slot of a call that has not ended.
    pub(super) fn slot_of(&mut self, id: u32) -> Option<&mut Slot> {
        let place = *self.by_id.get(id)?;
        self.slot(place)
    }

    /// The slot of a call that ends now.
    pub(super) fn end(&mut self, id: u32) -> Option<&mut Slot> {
        let place = self.by_id.remove(id)?;
        self.slot(place)
    }

    /// Forgets a call. Tasks that still wait for it are woken afterwards, to see that it is gone.
    pub(super) fn remove(&mut self, place: usize) {
        let Some(entry) = self.slots.get_mut(place) else {
            return;
        };
        let Some(slot) = entry else {
            return;
        };
        slot.wake_all(&mut self.later);
        if self.by_id.get(slot.id) == Some(&place) {
            self.by_id.remove(slot.id);
        }
        *entry = None;
        self.free.push(place);
    }

    /// Whether there is nothing to tell anyone.
    pub(super) fn is_quiet(&self) -> bool {
        self.later.is_empty() && !self.session.has_events()
    }

    /// Ends the calls whose deadlines have passed.
    pub(super) fn expire_due(&mut self, now: Instant) {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return;
        }
        self.earliest = None;
        for slot in self.slots.iter().flatten().filter(|slot| slot.outcome.is_none()) {
            match slot.deadline {
                Some(deadline) if deadline <= now => {
                    let message = format!("the call took longer than its {} ms", slot.timeout_ms);
                    self.session.cancel(slot.id, Status::new(Code::DeadlineExceeded, message));
                }
                Some(deadline) => {
                    self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
                }
                None => {}
            }
        }
    }

    /// The calls that this side has made and that have not ended.
    fn own_calls(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten().filter(|slot| !slot.is_callee && slot.outcome.is_none())
    }

    pub(super) fn latest_deadline(&self) -> Option<Instant> {
        let mut latest = None;
        for slot in self.own_calls() {
            latest = latest.max(Some(slot.deadline?));
        }
        latest
    }

    pub(super) fn closed_within(&mut self, call: u32, reason: &Error) {
        let mut own = self.own_calls().map(|slot| slot.id);
        let (first, is_only) = (own.next(), own.next().is_none());
        drop(own);
        let is_own = call != 0 && self.slot_of(call).is_some_and(|slot| !slot.is_callee && slot.outcome.is_none());
        if let Some(id) = if is_own { Some(call) } else { first.filter(|_| is_only && call == 0) } {
            self.session.cancel(id, Status::from(reason));
        }
        self.session.closed(Error::unavailable(reason.message().to_owned()).into());
    }

    pub(super) fn ping(&mut self) -> Result<u64> {
        let number = self.pings + 1;
        self.session.ping(&number.to_le_bytes())?;
        self.pings = number;
        Ok(number)
    }

    /// Whether the shell has to be woken for output that it does not know of. The pump takes what its own handlers wrote.
    pub(super) fn announce(&mut self, by: &Causer) -> bool {
        // What a thread holds back is to wait for that thread's tasks only: output of another goes out, and takes it along.
        let is_known = self.announced && (self.holder == 0 || self.holder == by.thread);
        let news = !is_known && !by.is_pump && self.session.output_bytes() > 0;
        if news {
            self.announced = true;
            self.holder = if by.may_hold_back { by.thread } else { 0 };
        }
        news
    }

    /// There is nothing that the shell was told of, or is to be told by a thread that holds it back.
    pub(super) fn forget_announcement(&mut self) {
        self.announced = false;
        self.holder = 0;
    }
}

/// Who changes the state.
pub(super) struct Causer {
    /// By [`current_thread`].
    pub(super) thread: usize,
    /// It is the thread that receives.
    pub(super) is_pump: bool,
    /// It may leave the shell asleep for a while.
    pub(super) may_hold_back: bool,
}

impl Slot {
    pub(super) fn push_message(&mut self, message: Bytes, held: bool) {
        self.received_any = true;
        match self.first {
            None => self.first = Some((message, held)),
            Some(_) => self.rare().messages.push_back((message, held)),
        }
    }

    /// The next message, and whether the session counts it as unread.
    pub(super) fn pop_message(&mut self) -> Option<(Bytes, bool)> {
        let first = self.first.take()?;
        self.first = self.rare.as_mut().and_then(|rare| rare.messages.pop_front());
        Some(first)
    }

    pub(super) fn has_message(&self) -> bool {
        self.first.is_some()
    }

    pub(super) fn has_several_messages(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.messages.is_empty())
    }

    pub(super) fn drop_messages(&mut self) {
        self.first = None;
        if let Some(rare) = &mut self.rare {
            rare.messages = VecDeque::new();
        }
    }

    /// Keeps the metadata that goes before the first message.
    pub(super) fn set_header(&mut self, header: Metadata) {
        self.rare().header.get_or_insert(header);
    }

    pub(super) fn header(&self) -> Option<&Metadata> {
        self.rare.as_ref()?.header.as_ref()
    }

    /// Notes that the call succeeded, with the metadata after its last message.
    pub(super) fn succeed(&mut self, trailer: Metadata) {
        self.outcome = Some(Ok(()));
        if !trailer.is_empty() {
            self.rare().trailer = trailer;
        }
    }

    pub(super) fn trailer(&self) -> Option<&Metadata> {
        Some(&self.rare.as_ref()?.trailer)
    }

    /// Takes header and trailer.
    pub(super) fn take_metadata(&mut self) -> (Metadata, Metadata) {
        match &mut self.rare {
            None => Default::default(),
            Some(rare) => (rare.header.take().unwrap_or_default(), std::mem::take(&mut rare.trailer)),
        }
    }

    /// Has a task woken when the call may send, or has ended.
    pub(super) fn add_writer(&mut self, waker: &Waker) {
        add_waker(&mut self.rare().writers, waker);
    }

    pub(super) fn wake_writers(&mut self, actions: &mut Actions) {
        if let Some(rare) = &mut self.rare {
            actions.wake_all(&mut rare.writers);
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Why nothing can be sent any more; none while the call goes on.
    pub(super) fn failure(&self) -> Option<Error> {
        match &self.outcome {
            None => None,
            Some(Err(error)) => Some(error.clone()),
            Some(Ok(_)) => Some(Error::cancelled("the call has ended")),
        }
    }

    /// Takes the wakers of everyone who waits for this call.
    pub(super) fn wake_all(&mut self, actions: &mut Actions) {
        actions.wake(&mut self.reader);
        self.wake_writers(actions);
    }
}

/// Adds a waker, unless the task waits already.
pub(super) fn add_waker(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

/// Tells threads that are alive from each other; never 0. [`std::thread::current`] would do, at ten times the price.
pub(super) fn current_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
