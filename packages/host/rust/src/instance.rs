//! A plugin as a process: from its start to its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyplug_core::{Connection, Error, Link, Result};
use anyplug_ipc::{Driver, PluginProcess, Runtime, start_process};

use crate::options::LoadOptions;
use crate::plan::{Plan, host_router};
use crate::wait::block_on;

/// For the end of a process that was killed.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A plugin in a process of its own, with the connection to it. Dropped, the process is killed.
#[derive(Debug)]
pub struct Instance {
    driver: Arc<Driver>,
    process: Arc<PluginProcess>,
    name: String,
    drain_timeout: Duration,
    closing: Mutex<()>,
}

impl Instance {
    /// Starts the process; its connection opens by and by.
    ///
    /// # Errors
    /// As [`start_process`] and [`Plan::process_options`]; INVALID_ARGUMENT when a service is implemented twice.
    pub fn start(plan: &Plan, options: &LoadOptions, runtime: Arc<dyn Runtime>) -> Result<Self> {
        // A wrong set of services starts no process.
        host_router(options, &plan.grants)?;
        let (process, pipe) = start_process(&plan.process_options(options)?)?;
        let process = Arc::new(process);
        let driver = Driver::start(process.clone(), pipe, runtime, |shell| plan.connect(options, shell))?;
        let name = plan.located.manifest.name.clone();
        Ok(Self { driver, process, name, drain_timeout: options.drain_timeout, closing: Mutex::new(()) })
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        self.driver.connection()
    }

    /// The process.
    pub fn process(&self) -> &PluginProcess {
        &self.process
    }

    /// What moves its bytes.
    pub fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    /// Waits until calls can be made and the schemas fit, up to the time that `options` give. `look` is called every now and then; an error that it returns ends the wait.
    ///
    /// # Errors
    /// UNAVAILABLE when the process ended, DEADLINE_EXCEEDED when the time is over, the plugin's own when it refuses to start, FAILED_PRECONDITION for another protocol or schema; what
    /// `look` returned. The process is killed then.
    pub fn open(&self, options: &LoadOptions, mut look: impl FnMut() -> Result<()>) -> Result<()> {
        let until = Instant::now() + options.start_timeout;
        let connection = self.connection();
        let opened = async {
            connection.ready().await.map_err(|error| self.explain(error))?;
            // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
            connection.ping().await.map_err(|error| self.explain(error))?;
            for service in &options.expect {
                connection.negotiate(service.clone()).await?;
            }
            connection.negotiate_uses().await
        };
        let in_time = || if Instant::now() < until { look() } else { Err(self.late(options.start_timeout)) };
        let opened = block_on(opened, in_time).and_then(|opened| opened);
        if let Err(error) = &opened {
            self.kill(error.clone());
        }
        opened
    }

    /// Lets calls in flight end, closes the channel, and stops the process. Calling it again waits for the same end.
    pub fn close(&self) {
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + self.drain_timeout;
        let in_time = || if Instant::now() < until { Ok(()) } else { Err(()) };
        // Calls that take longer end with the connection.
        let _ = block_on(self.connection().drain(), in_time);
        self.connection().closed(Error::unavailable(format!("plugin \"{}\" was closed", self.name)));
        self.driver.close();
        self.process.stop();
        self.driver.wait_ended();
    }

    /// Ends the process at once. Calls in flight end with UNAVAILABLE and this reason.
    pub fn kill(&self, reason: Error) {
        self.connection().closed(reason);
        self.driver.close();
        self.process.kill_now();
    }

    fn late(&self, timeout: Duration) -> Error {
        late_start(&self.process, self.connection().peer().is_some(), timeout)
    }

    fn explain(&self, error: Error) -> Error {
        explain_start(&self.process, self.connection().peer().is_some(), self.driver.stream_ended(), error)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill(Error::unavailable(format!("plugin \"{}\" was dropped by its host", self.name)));
    }
}

/// Why a plugin cannot be used whose process was started, with what is known of the process, which is of no more use. `said_hello`: so that it refused afterwards; `is_lost`: its channel
/// ended, and not by either side's decision.
pub fn explain_start(process: &PluginProcess, said_hello: bool, is_lost: bool, error: Error) -> Error {
    let name = process.name();
    if said_hello {
        return error.map_message(|message| format!("plugin \"{name}\" refused to start: {message}"));
    }
    if is_lost {
        return error.map_message(|_| format!("plugin \"{name}\" {}", process.describe(" before its hello")));
    }
    let lines = lines_of_killed(process);
    error.map_message(|message| format!("plugin \"{name}\": {message}{lines}"))
}

/// That the start of a plugin took longer than `timeout`: DEADLINE_EXCEEDED, with the last lines of its process, which is of no more use.
pub fn late_start(process: &PluginProcess, said_hello: bool, timeout: Duration) -> Error {
    let what = if said_hello { "did not answer after its hello" } else { "sent no hello" };
    let (name, lines) = (process.name(), lines_of_killed(process));
    Error::deadline_exceeded(format!("plugin \"{name}\" {what} within {} ms{lines}", timeout.as_millis()))
}

/// What the process printed last: once it has ended, all that it printed has been read.
fn lines_of_killed(process: &PluginProcess) -> String {
    process.kill_now();
    process.wait(OUTPUT_GRACE);
    process.last_lines()
}
