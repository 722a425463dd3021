//! A connection that belongs to an event loop of asyncio: its thread reads and writes, and nobody else.
//!
//! The descriptor is watched by `loop.add_reader`. Beside that there is the tick, a callback that `loop.call_soon` runs after the tasks that are ready: it writes what they sent at once, and
//! polls for an answer for up to 20 us, since waking a loop that sleeps costs several times that. A call that is alone needs no tick: see `alone`.

use std::future::Future;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, Weak};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use anyplug_core::{Error, Instant, RawUnary, Response, Role};
use anyplug_ipc::{Leader, Turn};
use bytes::Bytes;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::alone::MOST_IN_A_ROW;
use crate::error::to_exception;
use crate::link::{Link, lock};
use crate::parker::current_thread;
use crate::service::Handlers;
use crate::work::Work;

/// How many reads one tick makes at most, so that a peer that never stops sending does not stop the loop's tasks.
const MAX_TURNS: usize = 16;
/// How often a tick reads again after it has answered in place all that came.
const MAX_ROUNDS: usize = 64;

/// What ties a connection to its loop.
pub(crate) struct Looped {
    thread: usize,
    pub(crate) event_loop: Py<PyAny>,
    call_soon: Py<PyAny>,
    /// What the loop runs next; None where it does not tell, as uvloop.
    pub(crate) ready: Option<Py<PyAny>>,
    tick: Py<PyAny>,
    /// A tick will run, or runs.
    pub(crate) is_ticking: AtomicBool,
    /// Calls that were made alone since the last tick.
    pub(crate) in_a_row: AtomicU32,
    /// Another thread has something for the loop: the loop watches the read end.
    poked: AtomicBool,
    poke: (OwnedFd, OwnedFd),
    /// The descriptor that the loop watches until the peer reads on; -1: none.
    watched_writer: AtomicI32,
    /// For the earliest deadline, with its time.
    timer: Mutex<Option<(Instant, Py<PyAny>)>>,
    unaries: Mutex<Unaries>,
    pub(crate) pending: AtomicUsize,
}

/// The calls that futures of asyncio wait for, by place.
#[derive(Default)]
struct Unaries {
    places: Vec<Place>,
    free: Vec<usize>,
}

#[derive(Default)]
struct Place {
    entry: Option<(RawUnary, Py<PyAny>)>,
    /// How often the place was given away: who cancels a call must not mean the one before.
    generation: u32,
}

impl Looped {
    /// Ties a connection to the loop that runs in this thread. `tick` is to call [`Link::tick`].
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>, tick: Py<PyAny>) -> PyResult<Self> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(std::io::Error::from)?;
        for end in [&read, &write] {
            rustix::io::ioctl_fionbio(end, true).map_err(std::io::Error::from)?;
        }
        Ok(Self {
            thread: current_thread(),
            event_loop: event_loop.clone().unbind(),
            call_soon: event_loop.getattr(intern!(event_loop.py(), "call_soon"))?.unbind(),
            ready: event_loop.getattr_opt(intern!(event_loop.py(), "_ready"))?.map(Bound::unbind),
            tick,
            is_ticking: AtomicBool::new(false),
            in_a_row: AtomicU32::new(0),
            poked: AtomicBool::new(false),
            poke: (read, write),
            watched_writer: AtomicI32::new(-1),
            timer: Mutex::default(),
            unaries: Mutex::default(),
            pending: AtomicUsize::new(0),
        })
    }

    pub(crate) fn is_own_thread(&self) -> bool {
        self.thread == current_thread()
    }

    /// What the loop has to watch beside the channel.
    pub(crate) fn poke_descriptor(&self) -> i32 {
        self.poke.0.as_fd().as_raw_fd()
    }

    /// Makes the loop tick; from any thread.
    pub(crate) fn nudge(&self) {
        if !self.is_own_thread() {
            return self.poke();
        }
        if self.is_ticking.swap(true, Ordering::SeqCst) {
            return;
        }
        // The loop's thread is attached whenever it runs code of ours.
        let scheduled = Python::try_attach(|py| self.call_soon.call1(py, (&self.tick,)).is_ok());
        if scheduled != Some(true) {
            self.is_ticking.store(false, Ordering::SeqCst);
        }
    }

    /// Makes the loop tick, from another thread.
    pub(crate) fn poke(&self) {
        if !self.poked.swap(true, Ordering::SeqCst) {
            // Full is as good as written; there is no other way for this to fail.
            let _ = rustix::io::write(&self.poke.1, &[1]);
        }
    }

    fn clear_poke(&self) {
        if self.poked.load(Ordering::SeqCst) {
            let _ = rustix::io::read(&self.poke.0, &mut [0; 16]);
            self.poked.store(false, Ordering::SeqCst);
        }
    }

    /// Has the loop watch this descriptor for writing, and no other; -1: none. A descriptor that was closed meanwhile is forgotten all the same.
    fn watch_writer(&self, py: Python<'_>, wanted: i32) -> PyResult<()> {
        let watched = self.watched_writer.swap(wanted, Ordering::SeqCst);
        if watched == wanted {
            return Ok(());
        }
        let event_loop = self.event_loop.bind(py);
        if watched >= 0 {
            event_loop.call_method1(intern!(py, "remove_writer"), (watched,))?;
        }
        if wanted >= 0 {
            event_loop.call_method1(intern!(py, "add_writer"), (wanted, &self.tick))?;
        }
        Ok(())
    }

    /// Gives the answer of a call to the future that waits for it.
    pub(crate) fn answer(&self, py: Python<'_>, place: usize) -> PyResult<()> {
        let taken = {
            let mut unaries = lock(&self.unaries);
            let answer = match unaries.places.get(place) {
                Some(Place { entry: Some((call, _)), .. }) => call.try_take(),
                _ => None,
            };
            let Some(answer) = answer else { return Ok(()) };
            unaries.take(place).map(|taken| (taken, answer))
        };
        let Some(((call, future), answer)) = taken else { return Ok(()) };
        self.pending.fetch_sub(1, Ordering::Relaxed);
        drop(call);
        give(future.bind(py), answer)
    }
}

/// Gives a future its result.
fn give(future: &Bound<'_, PyAny>, answer: Result<Response<Bytes>, Error>) -> PyResult<()> {
    let py = future.py();
    let given = match answer {
        Ok(response) => future.call_method1(intern!(py, "set_result"), (PyBytes::new(py, &response.message),)),
        Err(error) => {
            let exception = to_exception(py, &error).into_value(py);
            future.call_method1(intern!(py, "set_exception"), (exception,))
        }
    };
    match given {
        Ok(_) => Ok(()),
        // The task that waited was cancelled meanwhile.
        Err(_) if future.call_method0(intern!(py, "done"))?.is_truthy()? => Ok(()),
        Err(error) => Err(error),
    }
}

impl Unaries {
    /// A free place, and its generation.
    fn reserve(&mut self) -> (usize, u32) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            self.places.len() - 1
        });
        let generation = self.places.get_mut(place).map_or(0, |place| {
            place.generation = place.generation.wrapping_add(1);
            place.generation
        });
        (place, generation)
    }

    fn put(&mut self, place: usize, entry: (RawUnary, Py<PyAny>)) {
        if let Some(free) = self.places.get_mut(place) {
            free.entry = Some(entry);
        }
    }

    fn take(&mut self, place: usize) -> Option<(RawUnary, Py<PyAny>)> {
        let taken = self.places.get_mut(place)?.entry.take()?;
        self.free.push(place);
        Some(taken)
    }
}

/// Tells the loop that a call has its answer.
struct Answered {
    link: Weak<Link>,
    place: usize,
}

impl Wake for Answered {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(link) = self.link.upgrade() {
            link.push(Work::Answered(self.place));
        }
    }
}

impl Link {
    /// Has `future` get the answer of the call that `make` makes. Returns a number by which the call can be cancelled.
    pub(crate) fn answer_to(
        self: &Arc<Self>,
        py: Python<'_>,
        future: &Bound<'_, PyAny>,
        make: impl FnOnce() -> PyResult<RawUnary>,
    ) -> PyResult<u64> {
        let Some(looped) = self.looped.get().filter(|looped| looped.is_own_thread()) else {
            let error = Error::failed_precondition(
                "the plugin was loaded in the event loop of another thread: await its calls there",
            );
            return Err(to_exception(py, &error));
        };
        let is_alone = looped.begins_alone(py, MOST_IN_A_ROW);
        // A module may have answered already. The loop has its turn all the same, unless it has nothing else to do.
        let waits = self.guest().is_some() && !is_alone;
        let number = make().and_then(|call| self.keep_unary(looped, call, future, waits));
        if is_alone {
            self.answer_alone(py, looped, number.is_ok())?;
        }
        self.set_timer(py, looped)?;
        number
    }

    /// Keeps a call until its answer is given to `future`.
    pub(crate) fn keep_unary(
        self: &Arc<Self>,
        looped: &Looped,
        mut call: RawUnary,
        future: &Bound<'_, PyAny>,
        waits: bool,
    ) -> PyResult<u64> {
        let (place, generation) = lock(&looped.unaries).reserve();
        if waits && call.is_done() {
            lock(&looped.unaries).put(place, (call, future.clone().unbind()));
            looped.pending.fetch_add(1, Ordering::Relaxed);
            self.push(Work::Answered(place));
            return Ok(u64::from(generation) << 32 | place as u64);
        }
        let waker = Waker::from(Arc::new(Answered { link: Arc::downgrade(self), place }));
        match Pin::new(&mut call).poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(answer) => {
                lock(&looped.unaries).free.push(place);
                give(future, answer)?;
            }
            Poll::Pending => {
                lock(&looped.unaries).put(place, (call, future.clone().unbind()));
                looped.pending.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(u64::from(generation) << 32 | place as u64)
    }

    /// Cancels a call that a future waits for.
    pub(crate) fn forget_answer(&self, number: u64) {
        let Some(looped) = self.looped.get() else { return };
        let (place, generation) = ((number & u64::from(u32::MAX)) as usize, (number >> 32) as u32);
        let taken = {
            let mut unaries = lock(&looped.unaries);
            match unaries.places.get(place) {
                Some(found) if found.generation == generation => unaries.take(place),
                _ => None,
            }
        };
        if taken.is_some() {
            looped.pending.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Writes what is to be written, reads what is there, and polls for more for a moment where that is likely to be worth it.
    pub(crate) fn tick(self: &Arc<Self>, py: Python<'_>, handlers: &Handlers) -> PyResult<()> {
        let Some(looped) = self.looped.get() else { return Ok(()) };
        looped.is_ticking.store(true, Ordering::SeqCst);
        looped.in_a_row.store(0, Ordering::Relaxed);
        looped.clear_poke();
        let ticked = self.tick_once(py, looped, handlers);
        self.pump.flush();
        looped.is_ticking.store(false, Ordering::SeqCst);
        if !self.work.is_empty() {
            looped.nudge();
        }
        self.watch_writer(py, looped)?;
        self.set_timer(py, looped)?;
        ticked
    }

    fn tick_once(self: &Arc<Self>, py: Python<'_>, looped: &Looped, handlers: &Handlers) -> PyResult<()> {
        for _ in 0..MAX_ROUNDS {
            self.pump.flush();
            if let (false, Some(mut leader)) = (self.has_ended(), self.pump.try_lead()) {
                self.read_some(&mut leader, looped);
            }
            if let Some(next) = self.connection().next_deadline() {
                let now = Instant::now();
                if next <= now {
                    self.connection().expire_due(now);
                }
            }
            let mut is_answered = true;
            let left = self.work.lock().length();
            if left == 0 {
                break;
            }
            for _ in 0..left {
                let work = {
                    let mut state = self.work.lock();
                    self.work.pop(&mut state)
                };
                match work {
                    Some(work) => is_answered &= self.perform(py, handlers, work)?,
                    None => break,
                }
            }
            // The loop has tasks to run now, unless all that came was answered in place: then more may come at once.
            if !is_answered {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn read_some(self: &Arc<Self>, leader: &mut Leader<'_>, looped: &Looped) {
        let has_work = || !self.work.is_empty();
        for _ in 0..MAX_TURNS {
            match leader.turn() {
                Turn::Moved => {}
                Turn::Idle if self.is_finishing() => return self.stream_ended(),
                Turn::Idle => break,
                Turn::Ended => return self.stream_ended(),
            }
        }
        if self.connection().close_reason().is_some() {
            return self.stream_ended();
        }
        let is_asked = looped.pending.load(Ordering::Relaxed) > 0 || self.connection().role() == Role::Plugin;
        if !has_work() && is_asked && self.guest().is_none() {
            let mut spin = lock(&self.spin);
            if spin.allowed() {
                leader.spin(&mut spin, has_work);
            }
        }
    }

    /// Has the loop watch the descriptor for writing as long as the peer does not take everything.
    fn watch_writer(&self, py: Python<'_>, looped: &Looped) -> PyResult<()> {
        let wanted = match self.pump.write_fd() {
            Some(end) if self.pump.is_blocked() => end.as_raw_fd(),
            _ => -1,
        };
        looped.watch_writer(py, wanted)
    }

    /// Has the loop tick when the earliest deadline has come.
    pub(crate) fn set_timer(&self, py: Python<'_>, looped: &Looped) -> PyResult<()> {
        let next = self.connection().next_deadline();
        let mut timer = lock(&looped.timer);
        let is_set = match (&*timer, next) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some((set, _)), Some(next)) => *set <= next && *set > Instant::now(),
        };
        if is_set {
            return Ok(());
        }
        let old = timer.take();
        drop(timer);
        if let Some((_, handle)) = old {
            handle.call_method0(py, intern!(py, "cancel"))?;
        }
        let Some(next) = next else { return Ok(()) };
        let seconds = next.saturating_since(Instant::now()).as_secs_f64();
        let handle = looped.event_loop.call_method1(py, intern!(py, "call_later"), (seconds, &looped.tick))?;
        *lock(&looped.timer) = Some((next, handle));
        Ok(())
    }

    /// Unties the loop: it no longer watches the descriptors.
    pub(crate) fn leave_loop(&self, py: Python<'_>) -> PyResult<()> {
        let Some(looped) = self.looped.get() else { return Ok(()) };
        if let Some((_, handle)) = lock(&looped.timer).take() {
            handle.call_method0(py, intern!(py, "cancel"))?;
        }
        looped.watch_writer(py, -1)
    }
}

impl Link {
    /// There may be an earlier deadline, which the loop has to know of.
    pub(crate) fn deadline_changed(&self, py: Python<'_>) -> PyResult<()> {
        match self.looped.get() {
            Some(looped) if looped.is_own_thread() => self.set_timer(py, looped),
            Some(looped) => {
                looped.poke();
                Ok(())
            }
            None => Ok(()),
        }
    }
}
