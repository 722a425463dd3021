//! No plugin outlives its host, however the host ends: a small shell kills the process groups that are left.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::environment::Environment;
use crate::spawn::{Leads, Spawn, keep_clear};

/// Reads "+group" and "-group" until its input ends, which it does when the host is gone, by whatever cause. Plugins that read their channel end by themselves in the
/// second that follows; what is left of the groups is killed.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r line; do
  group=${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;; esac ;;
  esac
done
alive() { for group in $groups; do kill -0 "-$group" 2>/dev/null && return 0; done; return 1; }
for pause in 0.1 0.2 0.3 0.4; do
  alive || exit 0
  sleep $pause 2>/dev/null || sleep 1
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
exit 0
"#;

/// A shell that ends at once, again and again, is not worth a loop.
const MAX_RESTARTS: u32 = 10;

/// One watchdog for all plugins of this process.
pub static WATCHDOG: Watchdog =
    Watchdog { state: Mutex::new(State { owner: 0, groups: Vec::new(), shell: None, restarts: 0 }) };

/// The watchdog of this process, started when it is first needed.
#[derive(Debug)]
pub struct Watchdog {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The process that started the shell: after a fork the other one needs a shell of its own, or its plugins would live until both have ended.
    owner: u32,
    groups: Vec<Pid>,
    shell: Option<Shell>,
    restarts: u32,
}

#[derive(Debug)]
struct Shell {
    pid: Pid,
    input: OwnedFd,
}

impl Watchdog {
    /// Watches the process group `group`.
    ///
    /// # Errors
    /// The reason when there is no shell to watch it.
    pub fn add(&'static self, group: Pid) -> io::Result<()> {
        let mut state = self.lock();
        state.groups.push(group);
        if state.shell.is_some() && state.tell(&format!("+{}\n", group.as_raw_nonzero())).is_ok() {
            return Ok(());
        }
        self.start(&mut state)
    }

    /// The group has ended and its number may be used again by others.
    pub fn remove(&'static self, group: Pid) {
        let mut state = self.lock();
        state.groups.retain(|watched| *watched != group);
        if state.shell.is_some() && state.tell(&format!("-{}\n", group.as_raw_nonzero())).is_err() {
            // A shell that cannot be told would kill whoever gets the number next. The one that replaces it never hears of it.
            let _ = self.start(&mut state);
        }
    }

    /// The process id of the shell, for tests.
    pub fn pid(&'static self) -> Option<Pid> {
        self.lock().shell.as_ref().map(|shell| shell.pid)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if state.owner != process {
            *state = State { owner: process, groups: Vec::new(), shell: None, restarts: 0 };
        }
        state
    }

    fn start(&'static self, state: &mut State) -> io::Result<()> {
        if let Some(old) = state.shell.take() {
            let _ = rustix::process::kill_process(old.pid, Signal::KILL);
        }
        if state.groups.is_empty() || state.restarts > MAX_RESTARTS {
            return Ok(());
        }
        state.restarts += 1;
        let shell = start_shell()?;
        let pid = shell.pid;
        state.shell = Some(shell);
        std::thread::Builder::new()
            .name("anyplug-watchdog".to_owned())
            .stack_size(64 << 10)
            .spawn(move || self.replace_when_ended(pid))?;
        let groups: String = state.groups.iter().map(|group| format!("+{}\n", group.as_raw_nonzero())).collect();
        state.tell(&groups)
    }

    /// Somebody killed the watchdog: another takes its place while there is something to watch.
    fn replace_when_ended(&'static self, pid: Pid) {
        while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED) {}
        let mut state = self.lock();
        if state.shell.as_ref().is_some_and(|shell| shell.pid == pid) {
            state.shell = None;
            let _ = self.start(&mut state);
        }
    }
}

impl State {
    fn tell(&self, mut text: &str) -> io::Result<()> {
        let shell = self.shell.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        while !text.is_empty() {
            match rustix::io::write(&shell.input, text.as_bytes()) {
                Ok(written) => text = &text[written..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn start_shell() -> io::Result<Shell> {
    let (output, input) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (output, input) = (keep_clear(output)?, keep_clear(input)?);
    // A shell that somebody stopped must not stop the host.
    rustix::io::ioctl_fionbio(&input, true)?;
    let null = crate::pipe::null_device()?;
    let spawn = Spawn {
        program: Path::new("/bin/sh"),
        args: &["-c".into(), SCRIPT.into()],
        environment: &Environment::from([("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: Path::new("/"),
        descriptors: &[output.as_fd(), null.as_fd(), null.as_fd()],
        leads: Leads::Session,
    };
    Ok(Shell { pid: spawn.start()?, input })
}
