//! A plugin's child process: started in a group of its own, watched, its output captured, and ended for good.

use std::fmt;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyplug_core::{Code, Error};
use rustix::process::{Pid, Signal};

use crate::address::JSON_RPC_PREFIX;
use crate::capture::LineCapture;
use crate::environment::{CHANNEL_VARIABLE, EnvironmentOptions, LISTEN_VARIABLE, child_environment};
use crate::exit::{Exit, describe_exit, describe_output};
use crate::output;
use crate::pipe::{Pipe, null_device};
use crate::program::{ProgramPlace, find_program, script_interpreter};
use crate::spawn::{Leads, Spawn, keep_clear};
use crate::watchdog::WATCHDOG;

/// Where a captured line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// "stdout" or "stderr".
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Takes each line that a plugin printed; it is called in a thread of the plugin's own.
pub type OnLine = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// Which program to start, and how.
#[derive(Clone)]
pub struct ProcessOptions {
    /// The plugin's name, for errors.
    pub name: String,
    /// The program and its arguments. A name without a slash is looked for in the PATH that the child gets.
    pub command: Vec<String>,
    /// The working folder.
    pub cwd: PathBuf,
    /// What the child gets of the environment.
    pub environment: EnvironmentOptions,
    /// The channel on stdin and stdout, for plugins that can have nothing else. Otherwise: descriptors of its own.
    pub stdio: bool,
    /// JSON-RPC is spoken there.
    pub json_rpc: bool,
    /// Takes each line that the plugin printed.
    pub on_line: OnLine,
}

impl fmt::Debug for ProcessOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment is not shown: it may hold secrets.
        f.debug_struct("ProcessOptions")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("cwd", &self.cwd)
            .field("stdio", &self.stdio)
            .finish_non_exhaustive()
    }
}

/// How long a process that closed its channel has to exit by itself.
const EXIT_GRACE: Duration = Duration::from_secs(1);
/// How long it has to exit before the error says that it did not. A busy machine takes its time from one to the other.
const TOLD_GRACE: Duration = Duration::from_secs(5);
/// How long from TERM to KILL.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// Starts a program and returns it with this side of its channel.
///
/// # Errors
/// NOT_FOUND when the program, its interpreter or the working folder is missing, PERMISSION_DENIED when it may not be executed, INVALID_ARGUMENT when the command is empty or
/// holds a zero byte, UNAVAILABLE when the system refuses.
pub fn start_process(options: &ProcessOptions) -> Result<(PluginProcess, Pipe), Error> {
    let failure = |code, why: String| Error::new(code, format!("cannot start plugin \"{}\": {why}", options.name));
    let Some((program, args)) = options.command.split_first() else {
        return Err(failure(Code::InvalidArgument, "its command is empty".to_owned()));
    };
    let mut environment = child_environment(&options.environment, std::env::vars_os());
    match (options.json_rpc, options.stdio) {
        // A plugin of ours speaks JSON-RPC where it is told to; others know nothing of the variable.
        (true, _) => environment.insert(LISTEN_VARIABLE.into(), format!("{JSON_RPC_PREFIX}stdio:").into()),
        (false, true) => environment.insert(CHANNEL_VARIABLE.into(), "stdio".into()),
        (false, false) => environment.insert(CHANNEL_VARIABLE.into(), "fd:3,4".into()),
    };
    if !options.cwd.is_dir() {
        return Err(failure(Code::NotFound, format!("its working folder {} does not exist", options.cwd.display())));
    }
    let path = environment.get(std::ffi::OsStr::new("PATH")).map(|path| path.as_os_str());
    let path = find_program(program, ProgramPlace { path, cwd: &options.cwd })
        .map_err(|error| failure(error.code(), error.message().to_owned()))?;
    let refused = |error: std::io::Error| explain(&failure, &path, error);

    let (pipe, channel) = Pipe::pair().map_err(refused)?;
    let (stderr, their_stderr) = output_pipe().map_err(refused)?;
    let (stdout, their_stdout) = output_pipe().map_err(refused)?;
    let null = null_device().map_err(refused)?;
    let [their_read, their_write] = &channel;
    let own = [null.as_fd(), their_stdout.as_fd(), their_stderr.as_fd(), their_read.as_fd(), their_write.as_fd()];
    let stdio = [their_read.as_fd(), their_write.as_fd(), their_stderr.as_fd()];
    let spawn = Spawn {
        program: &path,
        args: &args.iter().map(Into::into).collect::<Vec<_>>(),
        environment: &environment,
        cwd: &options.cwd,
        descriptors: if options.stdio { &stdio } else { &own },
        leads: Leads::Group,
    };
    let pid = spawn.start().map_err(refused)?;
    let shared = Arc::new(Shared::new(pid, options.on_line.clone()));
    let process = PluginProcess { shared, name: options.name.clone(), stdio: options.stdio };
    if let Err(error) = WATCHDOG.add(pid) {
        process.shared.warn(&format!(
            "no watchdog: if this host is killed, plugin \"{}\" may outlive it ({error})",
            options.name
        ));
    }
    let mut outputs = vec![(Stream::Stderr, stderr)];
    if !options.stdio {
        outputs.push((Stream::Stdout, stdout));
    }
    output::start(process.shared.clone(), outputs).map_err(refused)?;
    Ok((process, pipe))
}

fn output_pipe() -> std::io::Result<(std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((keep_clear(ours)?, keep_clear(theirs)?))
}

fn explain(failure: &impl Fn(Code, String) -> Error, path: &Path, error: std::io::Error) -> Error {
    let shown = path.display();
    let explained = match error.kind() {
        std::io::ErrorKind::NotFound => {
            let missing = match script_interpreter(path) {
                Some(interpreter) => format!("its interpreter {interpreter}"),
                None => "its interpreter or loader".to_owned(),
            };
            failure(Code::NotFound, format!("{shown} is there, but {missing} does not exist; install it"))
        }
        std::io::ErrorKind::PermissionDenied => failure(Code::PermissionDenied, format!("{shown} may not be executed")),
        std::io::ErrorKind::InvalidInput => failure(Code::InvalidArgument, error.to_string()),
        _ => failure(Code::Unavailable, format!("{shown}: {error}")),
    };
    explained.with_source(error)
}

/// A running plugin. It leads a process group of its own, so that ending it ends its children too. Dropped, it is killed.
#[derive(Debug)]
pub struct PluginProcess {
    shared: Arc<Shared>,
    name: String,
    stdio: bool,
}

/// What the process and the thread that reads its output know.
pub(crate) struct Shared {
    pub(crate) pid: Pid,
    on_line: OnLine,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    exit: Option<Exit>,
    stdout: LineCapture,
    stderr: LineCapture,
    on_exit: Vec<Box<dyn FnOnce() + Send>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("pid", &self.pid).field("exit", &self.lock().exit).finish_non_exhaustive()
    }
}

impl PluginProcess {
    /// Its process id, which is the number of its process group as well.
    pub fn pid(&self) -> Pid {
        self.shared.pid
    }

    /// The plugin's name, for errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its channel is on stdin and stdout.
    pub fn is_stdio(&self) -> bool {
        self.stdio
    }

    /// How the process ended, or `None` while it runs. When it is told, all that the process printed has been read.
    pub fn exit(&self) -> Option<Exit> {
        self.shared.lock().exit
    }

    /// Waits for the end of the process, up to `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<Exit> {
        let until = Instant::now() + timeout;
        let mut state = self.shared.lock();
        while state.exit.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.exit
    }

    /// Calls `callback` when the process has ended, in the thread that noticed; at once when it has ended already.
    pub fn on_exit(&self, callback: impl FnOnce() + Send + 'static) {
        let mut state = self.shared.lock();
        if state.exit.is_none() {
            state.on_exit.push(Box::new(callback));
            return;
        }
        drop(state);
        callback();
    }

    /// Takes bytes that came on stdout in place of the channel: what a plugin in stdio mode printed before its hello.
    pub fn printed(&self, bytes: &[u8]) {
        self.shared.captured(Stream::Stdout, Some(bytes));
    }

    /// Why its channel has ended: in most cases because the process has, which shows a moment later and is waited for.
    pub fn why_ended(&self) -> Error {
        self.wait(TOLD_GRACE);
        Error::unavailable(format!("plugin \"{}\" {}", self.name(), self.describe("")))
    }

    /// What became of the process, with the last lines it printed: "exited with status 3; its last lines …". `when` is put in where it happened: " before its hello".
    pub fn describe(&self, when: &str) -> String {
        let end = match self.exit() {
            Some(exit) => describe_exit(exit) + when,
            None => format!("closed its channel{when} and still runs"),
        };
        end + &self.last_lines()
    }

    /// The last lines that it printed, as the tail of an error message; empty when it printed none.
    pub fn last_lines(&self) -> String {
        let state = self.shared.lock();
        describe_output(&state.stderr.last(), &state.stdout.last())
    }

    /// Sends a signal to the process and to its children.
    pub fn signal(&self, signal: Signal) {
        self.shared.signal(signal);
    }

    /// Waits for the process to end by itself, for a moment; then asks it by TERM, then ends it by KILL.
    pub fn stop(&self) -> Exit {
        if let Some(exit) = self.wait(EXIT_GRACE) {
            return exit;
        }
        self.signal(Signal::TERM);
        if let Some(exit) = self.wait(KILL_GRACE) {
            return exit;
        }
        self.kill()
    }

    /// Ends the process and its children at once, without waiting for their end.
    pub fn kill_now(&self) {
        self.signal(Signal::KILL);
    }

    /// Ends the process and its children at once.
    pub fn kill(&self) -> Exit {
        self.kill_now();
        loop {
            if let Some(exit) = self.wait(Duration::from_secs(1)) {
                return exit;
            }
        }
    }
}

impl Drop for PluginProcess {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Shared {
    fn new(pid: Pid, on_line: OnLine) -> Self {
        Self { pid, on_line, state: Mutex::default(), ended: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the group stays the process's until its status has been collected, which [`Shared::ended`] does under the same lock.
    pub(crate) fn signal(&self, signal: Signal) {
        let state = self.lock();
        if state.exit.is_none() {
            // A group that has ended already is what was wanted.
            let _ = rustix::process::kill_process_group(self.pid, signal);
        }
    }

    /// The next bytes of a stream, or its end. Lines are told outside of the lock: who takes them may ask the process something.
    pub(crate) fn captured(&self, stream: Stream, bytes: Option<&[u8]>) {
        let mut lines = Vec::new();
        let mut state = self.lock();
        let capture = match stream {
            Stream::Stdout => &mut state.stdout,
            Stream::Stderr => &mut state.stderr,
        };
        let mut take = |line: &str| lines.push(line.to_owned());
        match bytes {
            Some(bytes) => capture.push(bytes, &mut take),
            None => capture.end(&mut take),
        }
        drop(state);
        for line in lines {
            self.tell(stream, &line);
        }
    }

    /// Whoever takes lines must not be able to stop the thread that watches the process.
    fn tell(&self, stream: Stream, line: &str) {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.on_line)(stream, line)));
    }

    fn warn(&self, line: &str) {
        self.tell(Stream::Stderr, line);
    }

    /// Collects the status: from now on the numbers of process and group may be those of others.
    pub(crate) fn ended(&self, collect: impl FnOnce() -> Exit) {
        let mut state = self.lock();
        state.exit = Some(collect());
        let callbacks = std::mem::take(&mut state.on_exit);
        drop(state);
        self.ended.notify_all();
        for callback in callbacks {
            callback();
        }
    }
}
