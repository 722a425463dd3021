//! Runs futures where the host has no runtime: one thread for all of them, started when the first comes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use anyplug_core::channel::BoxFuture;

static TASKS: Tasks = Tasks { queue: Mutex::new(Queue { ready: VecDeque::new(), owner: 0 }), added: Condvar::new() };

struct Tasks {
    queue: Mutex<Queue>,
    added: Condvar,
}

struct Queue {
    ready: VecDeque<Arc<Task>>,
    /// The process whose thread runs the tasks: after a fork there is none.
    owner: u32,
}

/// A future that is polled when it was woken, by one thread at a time.
struct Task {
    state: Mutex<State>,
}

struct State {
    future: Option<BoxFuture<()>>,
    is_queued: bool,
}

/// Runs `future` to its end, in a thread that it shares with others like it. A panic ends the future alone.
pub fn spawn(future: BoxFuture<()>) {
    let state = State { future: Some(future), is_queued: true };
    TASKS.push(Arc::new(Task { state: Mutex::new(state) }));
}

impl Tasks {
    fn push(&'static self, task: Arc<Task>) {
        let mut queue = lock(&self.queue);
        queue.ready.push_back(task);
        let process = std::process::id();
        if queue.owner != process {
            let thread = std::thread::Builder::new().name("anyplug-tasks".to_owned()).spawn(|| self.run());
            // Without a thread the futures wait for the next try.
            queue.owner = if thread.is_ok() { process } else { 0 };
        }
        drop(queue);
        self.added.notify_one();
    }

    fn run(&self) {
        loop {
            let mut queue = lock(&self.queue);
            let task = loop {
                match queue.ready.pop_front() {
                    Some(task) => break task,
                    None => queue = self.added.wait(queue).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(queue);
            task.poll();
        }
    }
}

impl Task {
    fn poll(self: Arc<Self>) {
        let mut state = lock(&self.state);
        state.is_queued = false;
        let Some(mut future) = state.future.take() else { return };
        drop(state);
        let waker = Waker::from(self.clone());
        let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(()));
        if done.is_pending() {
            let mut state = lock(&self.state);
            state.future = Some(future);
            // Woken while it ran: it was queued then, and the queue's thread, which is this one, comes to it next.
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut state = lock(&self.state);
        if !std::mem::replace(&mut state.is_queued, true) {
            drop(state);
            TASKS.push(self);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::task::AtomicWaker;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    #[derive(Default)]
    struct Signal {
        given: AtomicBool,
        waker: AtomicWaker,
    }

    impl Signal {
        fn give(&self) {
            self.given.store(true, Ordering::SeqCst);
            self.waker.wake();
        }

        async fn wait(&self) {
            std::future::poll_fn(|task| {
                self.waker.register(task.waker());
                if self.given.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    #[test]
    fn futures_that_wait_for_each_other_all_end() {
        let signals: Arc<Vec<Signal>> = Arc::new((0..=100).map(|_| Signal::default()).collect());
        for index in 0..100 {
            let signals = signals.clone();
            spawn(Box::pin(async move {
                signals[index].wait().await;
                signals[index + 1].give();
            }));
        }
        let (ended, ends) = mpsc::channel();
        let all = signals.clone();
        spawn(Box::pin(async move {
            all[100].wait().await;
            ended.send(()).expect("a test that listens");
        }));
        signals[0].give();
        ends.recv().expect("an end");
    }

    #[test]
    fn a_panic_ends_one_future() {
        let (ended, ends) = mpsc::channel();
        spawn(Box::pin(async { panic!("for the test") }));
        spawn(Box::pin(async move { ended.send(()).expect("a test that listens") }));
        ends.recv().expect("an end");
    }
}
