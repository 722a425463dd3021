//! A peer in this process: an instance of a WebAssembly module, or of a shared library.

use std::sync::Arc;
use std::time::Duration;

use anyplug_core::{Error, Instant};

/// How long a library is waited for that has been told to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A peer in this process, which whoever calls enters.
#[derive(Clone)]
pub(crate) enum Guest {
    /// It may take until then to say hello.
    Module(Arc<anyplug_wasm::Instance>, Instant),
    Library(Arc<anyplug_ffi::Instance>),
}

impl Guest {
    /// Begins to talk with it.
    pub(crate) fn begin(&self) {
        match self {
            Self::Module(instance, until) => instance.begin(Some(*until)),
            Self::Library(instance) => instance.begin(),
        }
    }

    /// Has this done once, when it is gone.
    pub(crate) fn on_end(&self, on_end: impl FnOnce() + Send + 'static) {
        match self {
            Self::Module(instance, _) => instance.on_end(on_end),
            Self::Library(instance) => instance.on_end(on_end),
        }
    }

    /// What has it do what there is to do, for as long as it is there.
    pub(crate) fn carry(&self) -> Box<dyn Fn() + Send + Sync> {
        match self {
            Self::Module(instance, _) => {
                let instance = Arc::downgrade(instance);
                Box::new(move || instance.upgrade().into_iter().for_each(|instance| instance.look()))
            }
            Self::Library(instance) => {
                let instance = Arc::downgrade(instance);
                Box::new(move || instance.upgrade().into_iter().for_each(|instance| instance.look()))
            }
        }
    }

    /// Whether it takes no more calls.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Module(instance, _) => instance.is_over(),
            Self::Library(instance) => instance.is_over(),
        }
    }

    /// Why it is gone, if it failed.
    pub(crate) fn failure(&self) -> Option<Error> {
        match self {
            Self::Module(instance, _) => instance.failure().cloned(),
            Self::Library(instance) => instance.failure().cloned(),
        }
    }

    /// Ends it, as soon as nobody is inside: a library does not notice by itself.
    pub(crate) fn end(&self, reason: Error) {
        match self {
            Self::Module(..) => {}
            Self::Library(instance) => instance.end(reason),
        }
    }

    /// Waits until nothing of it runs any more, for a moment.
    pub(crate) fn wait_closed(&self) {
        if let Self::Library(instance) = self {
            instance.wait_closed(END_TIMEOUT);
        }
    }

    /// What holds of it by its kind, such as "isolation: none".
    pub(crate) fn enforced(&self) -> Vec<String> {
        match self {
            Self::Module(..) => Vec::new(),
            Self::Library(_) => vec!["isolation: none".to_owned()],
        }
    }
}
