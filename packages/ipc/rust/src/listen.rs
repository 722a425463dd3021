//! Listens for hosts.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyplug_core::{Code, Error};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::address::{Address, Place};
use crate::connect::{socket_pipe, tune_tcp};
use crate::credentials::check_peer;
use crate::kick::Kick;
use crate::pipe::{Pipe, wait_ready};
use crate::tls::{ServerTls, TlsOptions, accept_tls};

/// Hosts that may wait to be accepted.
const BACKLOG: i32 = 128;

/// A descriptor that the system has not is likely to be there a moment later.
const PAUSE: Duration = Duration::from_millis(50);

/// How is listened.
#[derive(Clone, Debug, Default)]
pub struct ListenerOptions {
    /// Certificates for `tls://`.
    pub tls: Option<TlsOptions>,
    /// Allows `tcp://` beyond this machine.
    pub allow_plaintext: bool,
}

/// A socket that hosts connect to. The file of a Unix socket is removed when it is closed or dropped.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
    tls: Option<ServerTls>,
    kick: Kick,
    closed: AtomicBool,
}

#[derive(Debug)]
enum Socket {
    Unix { socket: UnixListener, path: PathBuf, file: (u64, u64) },
    Tcp(TcpListener),
}

/// A host that has connected, and not said anything yet.
#[derive(Debug)]
pub struct Incoming {
    socket: IncomingSocket,
    tls: Option<ServerTls>,
}

#[derive(Debug)]
enum IncomingSocket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Listener {
    /// Listens on `address`. A Unix socket has mode 0600; what a dead server left there is replaced.
    ///
    /// # Errors
    /// ALREADY_EXISTS when the address is taken, FAILED_PRECONDITION for plaintext beyond this machine, INVALID_ARGUMENT for certificates that cannot be used, PERMISSION_DENIED, NOT_FOUND or
    /// UNAVAILABLE when the system refuses.
    pub fn bind(address: &Address, options: &ListenerOptions) -> Result<Arc<Self>, Error> {
        address.check_plaintext(options.allow_plaintext)?;
        let refused = |error: io::Error| refused(address, error);
        let mut tls = None;
        let (socket, place) = match &address.place {
            Place::Unix(path) => {
                claim(path)?;
                let socket = bind_unix(path).map_err(refused)?;
                let file = fs::symlink_metadata(path).map_err(refused)?;
                (Socket::Unix { socket, path: path.clone(), file: (file.dev(), file.ino()) }, address.place.clone())
            }
            Place::Tcp(host, port) | Place::Tls(host, port) => {
                let is_tls = address.transport() == "tls";
                if is_tls {
                    tls = Some(ServerTls::new(options.tls.as_ref())?);
                }
                let socket = bind_tcp(host, *port).map_err(refused)?;
                let port = socket.local_addr().map_err(refused)?.port();
                let place = if is_tls { Place::Tls(host.clone(), port) } else { Place::Tcp(host.clone(), port) };
                (Socket::Tcp(socket), place)
            }
        };
        let kick = Kick::new().map_err(refused)?;
        let address = Address { place, plugin: String::new() };
        Ok(Arc::new(Self { socket, address, tls, kick, closed: AtomicBool::new(false) }))
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Waits for the next host; none when the listener was closed.
    pub fn accept(&self) -> Option<Incoming> {
        while !self.closed.load(Ordering::SeqCst) {
            let accepted = match &self.socket {
                Socket::Unix { socket, .. } => socket.accept().map(|(socket, _)| IncomingSocket::Unix(socket)),
                Socket::Tcp(socket) => socket.accept().map(|(socket, _)| IncomingSocket::Tcp(socket)),
            };
            match accepted {
                Ok(socket) => return Some(Incoming { socket, tls: self.tls.clone() }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(None),
                // A host that went again, or no descriptor left.
                Err(_) => self.wait(Some(PAUSE)),
            }
        }
        None
    }

    fn wait(&self, pause: Option<Duration>) {
        let socket = match &self.socket {
            Socket::Unix { socket, .. } => socket.as_fd(),
            Socket::Tcp(socket) => socket.as_fd(),
        };
        let mut polled = [
            PollFd::from_borrowed_fd(self.kick.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(socket, PollFlags::IN),
        ];
        let count = if pause.is_some() { 1 } else { 2 };
        wait_ready(&mut polled[..count], pause);
    }

    /// Listens no longer, and removes the file of a Unix socket. Connections go on.
    pub fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Socket::Unix { path, file, .. } = &self.socket {
            // Another server may have taken its place.
            let is_own = fs::symlink_metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == *file);
            if is_own {
                let _ = fs::remove_file(path);
            }
        }
        self.kick.give();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

impl Incoming {
    /// Finds out who it is, up to `until`, and gives the channel.
    ///
    /// # Errors
    /// PERMISSION_DENIED for another user's program, UNAUTHENTICATED for certificates that do not fit, UNAVAILABLE when it has gone.
    pub fn into_pipe(self, until: Instant) -> Result<Pipe, Error> {
        let blocking = |error: io::Error| Error::unavailable(format!("the socket cannot be used: {error}"));
        match self.socket {
            IncomingSocket::Unix(socket) => {
                check_peer(&socket)?;
                socket_pipe(socket.into())
            }
            IncomingSocket::Tcp(socket) => {
                tune_tcp(&socket);
                socket.set_nonblocking(false).map_err(blocking)?;
                match &self.tls {
                    None => socket_pipe(socket.into()),
                    Some(tls) => accept_tls(socket, tls, until),
                }
            }
        }
    }
}

fn bind_tcp(host: &str, port: u16) -> io::Result<TcpListener> {
    let places: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let socket = TcpListener::bind(&places[..])?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The mode is set before the file is there: nobody else may connect at any time.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux makes the file with the mode of the socket; elsewhere it has its mode a moment later.
    let _ = rustix::fs::fchmod(&socket, Mode::from_raw_mode(0o600));
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Removes the file of a socket whose server is dead.
fn claim(path: &Path) -> Result<(), Error> {
    let shown = path.display();
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(Error::already_exists(format!("{shown} exists and is no socket; it is left alone")));
    }
    // Only a refusal says that nobody listens: a server with a full queue, or another user's, is alive.
    let is_live = match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
    };
    if is_live {
        let message = format!("something listens on {shown} already; stop it, or choose another path");
        return Err(Error::already_exists(message));
    }
    // Another server may have taken its place meanwhile.
    match fs::symlink_metadata(path) {
        Ok(now) if (now.dev(), now.ino()) == (found.dev(), found.ino()) => fs::remove_file(path).map_err(|error| {
            let message = format!("{shown} is left of a server that has ended, and cannot be removed");
            Error::permission_denied(message).with_source(error)
        }),
        _ => Ok(()),
    }
}

fn refused(address: &Address, error: io::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::AddrInUse => Code::AlreadyExists,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        _ => Code::Unavailable,
    };
    Error::new(code, format!("cannot listen on {address}: {error}")).with_source(error)
}
