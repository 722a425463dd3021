//! The thread that reads what a process prints, and that notices its end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::exit::Exit;
use crate::pipe::wait_ready;
use crate::process::{Shared, Stream};
use crate::spawn::keep_clear;
use crate::watchdog::WATCHDOG;

/// For output that a process left behind; only a grandchild in a session of its own can hold it open longer.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// Starts the thread over ends that we read, which do not block. It ends when the process has.
pub(crate) fn start(process: Arc<Shared>, outputs: Vec<(Stream, OwnedFd)>) -> io::Result<()> {
    let exit = exit_descriptor(process.pid)?;
    let reader = Reader { process, outputs, buffer: vec![0; 16 << 10] };
    std::thread::Builder::new()
        .name("anyplug-output".to_owned())
        .stack_size(256 << 10)
        .spawn(move || reader.run(&exit))?;
    Ok(())
}

struct Reader {
    process: Arc<Shared>,
    /// Those that have not ended.
    outputs: Vec<(Stream, OwnedFd)>,
    buffer: Vec<u8>,
}

impl Reader {
    fn run(mut self, exit: &OwnedFd) {
        while !self.turn(Some(exit), None) {}
        let pid = self.process.pid;
        // What the plugin started goes with it. The number of a group that has ended may be used again: it is not watched any longer.
        self.process.signal(Signal::KILL);
        WATCHDOG.remove(pid);
        let until = Instant::now() + OUTPUT_GRACE;
        while !self.outputs.is_empty() && Instant::now() < until {
            self.turn(None, Some(until));
        }
        for (stream, _) in &self.outputs {
            self.process.captured(*stream, None);
        }
        self.process.ended(|| collect(pid));
    }

    /// Waits for output or for the end of the process, and takes the output. Returns whether the process has ended.
    fn turn(&mut self, exit: Option<&OwnedFd>, until: Option<Instant>) -> bool {
        let outputs = self.outputs.iter().map(|(_, output)| output);
        let mut polled: Vec<PollFd<'_>> =
            outputs.chain(exit).map(|descriptor| PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN)).collect();
        wait_ready(&mut polled, until.map(|until| until.saturating_duration_since(Instant::now())));
        let ready: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
        drop(polled);
        let mut index = 0;
        let Self { process, outputs, buffer } = self;
        outputs.retain(|(stream, output)| {
            index += 1;
            !ready[index - 1] || take_output(process, *stream, output, buffer)
        });
        exit.is_some() && ready.last() == Some(&true)
    }
}

/// Reads once. Returns whether there may be more.
fn take_output(process: &Shared, stream: Stream, output: &OwnedFd, buffer: &mut [u8]) -> bool {
    match rustix::io::read(output, &mut *buffer) {
        Ok(0) => process.captured(stream, None),
        Ok(length) => {
            process.captured(stream, Some(&buffer[..length]));
            return true;
        }
        Err(Errno::INTR | Errno::AGAIN) => return true,
        Err(_) => process.captured(stream, None),
    }
    false
}

/// Collects the status of a process that has ended.
fn collect(pid: Pid) -> Exit {
    loop {
        match rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED) {
            Ok(Some(status)) => return Exit::of(&status),
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return Exit::Unknown,
        }
    }
}

/// A descriptor that is ready when the process has ended; its status is still to be collected then.
fn exit_descriptor(pid: Pid) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    if let Ok(descriptor) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        return keep_clear(descriptor);
    }
    let (ended, hold) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let hold = keep_clear(hold)?;
    std::thread::Builder::new().name("anyplug-exit".to_owned()).stack_size(64 << 10).spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), options) {}
        drop(hold);
    })?;
    keep_clear(ended)
}
