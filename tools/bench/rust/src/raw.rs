//! The bytes of a call over bare pipes, without frames, calls or messages: what no host can be faster than.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyplug_ipc::{Moved, Pipe, Spin};
use rustix::event::{PollFd, PollFlags};

use crate::host::{IN_FLIGHT, LARGE, LARGE_IN_FLIGHT, SMALL, STREAM};
use crate::{Answer, Contender, Failure, clock};

/// A child that echoes, and how this side waits.
pub(crate) struct Raw {
    child: Child,
    pipe: Pipe,
    waiting: Option<Spin>,
    buffer: Vec<u8>,
    how: String,
}

impl Raw {
    /// Starts the child: "spin", "block" and "stream" name the program beside this one and its way of waiting, "ts" and "python" programs of those languages.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn start(how: &str) -> Result<Self, Failure> {
        let mut child = command(how)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdout.take(), child.stdin.take()) else {
            return Err("the child has no pipes".into());
        };
        let pipe = Pipe::new(OwnedFd::from(input), OwnedFd::from(output))?;
        let waiting = (how == "spin").then(Spin::default);
        Ok(Self { child, pipe, waiting, buffer: vec![0; 1 << 20], how: how.to_owned() })
    }

    /// Reads what comes next.
    fn read(&mut self) -> Result<usize, Failure> {
        if let Some(spin) = &mut self.waiting
            && spin.allowed()
        {
            let found = spin.wait(Instant::now, || match self.pipe.read(&mut self.buffer) {
                Moved::Blocked => None,
                moved => Some(moved),
            });
            if let Some(moved) = found {
                return bytes(moved);
            }
        }
        loop {
            match self.pipe.read(&mut self.buffer) {
                Moved::Blocked => self.pipe.wait_readable(),
                moved => return bytes(moved),
            }
        }
    }

    fn call(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.pipe.write(message);
        let mut missing = message.len();
        while missing > 0 {
            missing -= self.read()?.min(missing);
        }
        Ok(())
    }

    /// Keeps `in_flight` messages of `size` bytes going; returns how many bytes came back in a second.
    fn echo(&mut self, ms: u64, size: usize, in_flight: usize) -> Result<f64, Failure> {
        let start = Instant::now();
        let end = start + Duration::from_millis(ms);
        let message = vec![7; size * in_flight];
        let (mut to_send, mut sent, mut received) = (message.len(), 0, 0);
        while received < sent || to_send > 0 {
            let idle = match self.pipe.write(&message[..to_send]) {
                Moved::Bytes(count) => {
                    (to_send, sent) = (to_send - count, sent + count);
                    false
                }
                _ => true,
            };
            match self.pipe.read(&mut self.buffer) {
                Moved::Blocked if idle => self.wait(to_send > 0),
                Moved::Blocked => {}
                moved => {
                    let whole = received / size;
                    received += bytes(moved)?;
                    if Instant::now() < end {
                        to_send += (received / size - whole) * size;
                    }
                }
            }
        }
        Ok(received as f64 / start.elapsed().as_secs_f64())
    }

    fn wait(&self, writable: bool) {
        let mut descriptors = vec![PollFd::from_borrowed_fd(self.pipe.read_fd(), PollFlags::IN)];
        if writable {
            descriptors.push(PollFd::from_borrowed_fd(self.pipe.write_fd(), PollFlags::OUT));
        }
        // It fails by a signal: then this is called again.
        let _ = rustix::event::poll(&mut descriptors, None);
    }

    /// Asks for streams of small messages, and takes them apart; returns how many messages came in a second.
    fn stream(&mut self, ms: u64) -> Result<f64, Failure> {
        let start = Instant::now();
        let end = start + Duration::from_millis(ms);
        let (mut messages, mut wanted) = (0_u64, 0);
        while Instant::now() < end {
            self.pipe.write(&STREAM.to_le_bytes());
            wanted += STREAM as usize * SMALL;
            while wanted > 0 {
                let count = self.read()?;
                wanted -= count;
                for message in self.buffer[..count].chunks(SMALL) {
                    std::hint::black_box(message.to_vec());
                    messages += 1;
                }
            }
        }
        Ok(messages as f64 / start.elapsed().as_secs_f64())
    }
}

fn command(how: &str) -> Result<Command, Failure> {
    let (program, argument) = match how {
        "ts" => ("node".into(), "tools/bench/ts/echo.mjs"),
        "python" => (".venv/bin/python".into(), "tools/bench/python/echo.py"),
        _ => (std::env::current_exe()?.with_file_name("anyplug-bench-echo"), how),
    };
    let mut command = Command::new(program);
    command.arg(argument);
    Ok(command)
}

fn bytes(moved: Moved) -> Result<usize, Failure> {
    match moved {
        Moved::Bytes(count) => Ok(count),
        _ => Err("the child has ended".into()),
    }
}

impl Contender for Raw {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        match what {
            "latency" => {
                // Without a spin the plain way to wait is a read that blocks.
                rustix::io::ioctl_fionbio(self.pipe.read_fd(), self.waiting.is_some())?;
                for _ in 0..20 {
                    self.call(&[7; SMALL])?;
                }
                let end = Instant::now() + Duration::from_millis(ms);
                let mut samples = Vec::with_capacity(1 << 16);
                while samples.is_empty() || Instant::now() < end {
                    let start = Instant::now();
                    self.call(&[7; SMALL])?;
                    samples.push(start.elapsed().as_secs_f64() * 1e6);
                }
                rustix::io::ioctl_fionbio(self.pipe.read_fd(), true)?;
                Ok(clock::percentiles(samples))
            }
            "load" => {
                let start = Instant::now();
                let mut other = Self::start(&self.how)?;
                other.call(&[7; SMALL])?;
                let answer = Answer::of(start.elapsed().as_secs_f64() * 1e3);
                other.close().await?;
                Ok(answer)
            }
            "throughput" => Ok(Answer::of(self.echo(ms, SMALL, IN_FLIGHT)? / SMALL as f64)),
            "bulk" => Ok(Answer::of(self.echo(ms, LARGE, LARGE_IN_FLIGHT)? * 2.0 / 1e6)),
            "stream" => Ok(Answer::of(self.stream(ms)?)),
            _ => Err(format!("a bare pipe cannot run {what:?}").into()),
        }
    }

    async fn close(mut self) -> Result<(), Failure> {
        drop(self.pipe);
        self.child.wait()?;
        Ok(())
    }
}
