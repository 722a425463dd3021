//! Carries bytes between a TLS connection and a local socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustls::Connection;

use crate::pipe::wait_ready;

/// Bytes that are read at once: four of the largest records.
const CHUNK_BYTES: usize = 64 << 10;

/// Carries until both directions have ended.
///
/// # Errors
/// What the network or TLS says; INVALID_DATA is of TLS.
pub(crate) fn carry(tls: &mut Connection, mut network: TcpStream, mut local: UnixStream) -> io::Result<()> {
    network.set_nonblocking(true)?;
    local.set_nonblocking(true)?;
    tls.set_buffer_limit(None);
    let result =
        Carrier { chunk: vec![0; CHUNK_BYTES], inbound: Vec::new(), from: 0 }.run(tls, &mut network, &mut local);
    // The program hears of it as the end of the stream, the peer too.
    let _ = local.shutdown(Shutdown::Both);
    let _ = network.shutdown(Shutdown::Both);
    result
}

struct Carrier {
    chunk: Vec<u8>,
    /// What came from the network and the program has not taken: from `from` on.
    inbound: Vec<u8>,
    from: usize,
}

impl Carrier {
    fn run(mut self, tls: &mut Connection, network: &mut TcpStream, local: &mut UnixStream) -> io::Result<()> {
        let (mut network_ended, mut local_ended, mut local_told) = (false, false, false);
        loop {
            let mut moved = false;
            if self.from < self.inbound.len() {
                moved |= self.deliver(local)?;
            } else if !network_ended {
                // What has been decrypted already comes before anything new.
                moved |= self.take_plain(tls, &mut network_ended)?;
                if self.inbound.is_empty() && !network_ended {
                    moved |= receive(tls, network, &mut network_ended)?;
                }
            }
            if tls.wants_write() {
                moved |= did(tls.write_tls(network))?.is_some();
            } else if !local_ended {
                moved |= self.take_local(tls, local, &mut local_ended)?;
            }
            let delivered = self.from == self.inbound.len();
            if network_ended && delivered && !local_told {
                local.shutdown(Shutdown::Write)?;
                local_told = true;
            }
            if local_ended && !tls.wants_write() && (local_told || network_ended) {
                return Ok(());
            }
            if !moved {
                let reads_network = delivered && !network_ended;
                self.wait(tls, network, local, reads_network, local_ended);
            }
        }
    }

    fn wait(&self, tls: &Connection, network: &TcpStream, local: &UnixStream, reads: bool, local_ended: bool) {
        let when = |wanted: bool, flag: PollFlags| if wanted { flag } else { PollFlags::empty() };
        let network_flags = when(reads, PollFlags::IN) | when(tls.wants_write(), PollFlags::OUT);
        let local_flags = when(!local_ended && !tls.wants_write(), PollFlags::IN)
            | when(self.from < self.inbound.len(), PollFlags::OUT);
        let mut polled = [(network.as_fd(), network_flags), (local.as_fd(), local_flags)]
            .into_iter()
            // One that nothing is wanted of would end the wait at once when its peer has gone.
            .filter(|(_, flags)| !flags.is_empty())
            .map(|(descriptor, flags)| PollFd::from_borrowed_fd(descriptor, flags))
            .collect::<Vec<_>>();
        wait_ready(&mut polled, None);
    }

    /// Hands over what came. A program that has closed is sent nothing more.
    fn deliver(&mut self, local: &mut UnixStream) -> io::Result<bool> {
        let Some(length) = did(local.write(&self.inbound[self.from..]))? else { return Ok(false) };
        self.from += length;
        if self.from == self.inbound.len() {
            self.inbound.clear();
            self.from = 0;
        }
        Ok(true)
    }

    fn take_plain(&mut self, tls: &mut Connection, ended: &mut bool) -> io::Result<bool> {
        match tls.reader().read(&mut self.chunk) {
            Ok(0) => *ended = true,
            Ok(length) => self.inbound.extend_from_slice(&self.chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            // The peer has gone without a word: for the program, the stream has ended.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => *ended = true,
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn take_local(&mut self, tls: &mut Connection, local: &mut UnixStream, ended: &mut bool) -> io::Result<bool> {
        match did(local.read(&mut self.chunk))? {
            None => return Ok(false),
            Some(0) => {
                *ended = true;
                tls.send_close_notify();
            }
            Some(length) => tls.writer().write_all(&self.chunk[..length])?,
        }
        Ok(true)
    }
}

fn receive(tls: &mut Connection, network: &mut TcpStream, ended: &mut bool) -> io::Result<bool> {
    match did(tls.read_tls(network))? {
        None => return Ok(false),
        Some(0) => *ended = true,
        Some(_) => {
            if let Err(error) = tls.process_new_packets() {
                let _ = tls.write_tls(network);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }
    Ok(true)
}

/// None when nothing can be moved now.
fn did(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(length) => Ok(Some(length)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
