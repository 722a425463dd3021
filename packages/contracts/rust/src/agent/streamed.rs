//! A stream of what a function gives on its way, ended by what it returns.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use anyplug_core::transport::Message;
use anyplug_core::{Result, Sender};

/// Gives events to the stream, from any thread. A clone gives to the same.
pub(crate) struct Give<T>(Arc<Mutex<Given<T>>>);

struct Given<T> {
    events: VecDeque<T>,
    waker: Option<Waker>,
}

impl<T> Clone for Give<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Give<T> {
    pub(crate) fn give(&self, event: T) {
        let waker = {
            let mut given = self.lock();
            given.events.push_back(event);
            given.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn next(&self) -> Option<T> {
        self.lock().events.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Given<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Step<T> {
    Event(T),
    Last(Result<T>),
}

/// Runs `work` and sends what it gives to its argument, as it comes, then what it returns. An error of `work` ends the stream, once all that came before was sent.
/// When the stream is left early, `work` is dropped at the next thing that it gives.
pub(crate) async fn streamed<T: Message, F>(responses: Sender<T>, work: impl FnOnce(Give<T>) -> F) -> Result<()>
where
    F: Future<Output = Result<T>> + Send,
{
    let give = Give(Arc::new(Mutex::new(Given { events: VecDeque::new(), waker: None })));
    let mut work = pin!(work(give.clone()));
    let last = loop {
        let step = std::future::poll_fn(|task| {
            if let Some(event) = give.next() {
                return Poll::Ready(Step::Event(event));
            }
            give.lock().waker = Some(task.waker().clone());
            match work.as_mut().poll(task) {
                Poll::Ready(last) => Poll::Ready(Step::Last(last)),
                Poll::Pending => give.next().map_or(Poll::Pending, |event| Poll::Ready(Step::Event(event))),
            }
        });
        match step.await {
            Step::Event(event) => responses.send(event).await?,
            Step::Last(last) => break last,
        }
    };
    while let Some(event) = give.next() {
        responses.send(event).await?;
    }
    responses.send(last?).await
}
