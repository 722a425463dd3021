//! A child that does no more with bytes than a plugin must: it reads them and writes them back, as `spin` or `block` says. As `stream`, it writes as many messages of 64 bytes as it is told to.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;
use std::time::Instant;

use anyplug_ipc::{Moved, Pipe, Spin};
use rustix::event::{PollFd, PollFlags};

const SMALL: usize = 64;
const BUFFER: usize = 1 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let descriptor = |at: usize, default: i32| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    match open(descriptor(1, 0), descriptor(2, 1)).and_then(|pipe| serve(&pipe, arguments.first().map(String::as_str)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anyplug-bench-echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn open(input: i32, output: i32) -> io::Result<Pipe> {
    // SAFETY: the command line names descriptors that this process was started with, and nothing else uses them.
    let read = unsafe { OwnedFd::from_raw_fd(input) };
    if input == output {
        let write = read.try_clone()?;
        return Pipe::new(read, write);
    }
    // SAFETY: as above; it is another one.
    Pipe::new(read, unsafe { OwnedFd::from_raw_fd(output) })
}

fn serve(pipe: &Pipe, how: Option<&str>) -> io::Result<()> {
    let mut buffer = vec![7; BUFFER];
    let mut spin = Spin::default();
    if how == Some("block") {
        for descriptor in [pipe.read_fd(), pipe.write_fd()] {
            rustix::io::ioctl_fionbio(descriptor, false)?;
        }
    }
    loop {
        let spins = how != Some("block") && spin.allowed();
        let found = if spins { spin.wait(Instant::now, || some(pipe.read(&mut buffer))) } else { None };
        let count = match found {
            Some(moved) => moved,
            None => pipe.read(&mut buffer),
        };
        match (count, how) {
            (Moved::Closed, _) => return Ok(()),
            (Moved::Blocked, _) => pipe.wait_readable(),
            (Moved::Bytes(4), Some("stream")) => {
                let count = u32::from_le_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
                write_all(pipe, &vec![7; count as usize * SMALL])?;
            }
            (Moved::Bytes(count), _) => write_all(pipe, &buffer[..count])?,
        }
    }
}

fn some(moved: Moved) -> Option<Moved> {
    (moved != Moved::Blocked).then_some(moved)
}

fn write_all(pipe: &Pipe, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match pipe.write(bytes) {
            Moved::Bytes(count) => bytes = &bytes[count..],
            Moved::Blocked => {
                rustix::event::poll(&mut [PollFd::from_borrowed_fd(pipe.write_fd(), PollFlags::OUT)], None)?;
            }
            Moved::Closed => return Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
    Ok(())
}
