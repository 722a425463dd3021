//! Connects to a plugin that is served on a socket.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyplug_core::{Code, Error};
use rustix::net::sockopt;

use crate::address::{Address, Place};
use crate::credentials::{check_peer, check_socket_file};
use crate::pipe::Pipe;
use crate::tls::{Fate, TlsOptions, connect_tls};

/// After so long without traffic a peer over TCP is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How a socket is connected to.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Certificates for `tls://`.
    pub tls: Option<TlsOptions>,
    /// Allows `tcp://` beyond this machine.
    pub allow_plaintext: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// A connected socket.
#[derive(Debug)]
pub struct Connected {
    /// Its channel.
    pub pipe: Pipe,
    address: Address,
    fate: Fate,
}

impl Connected {
    /// The channel, and what says later why it ended.
    pub fn into_parts(self) -> (Pipe, impl Fn() -> Error + Send + Sync + 'static) {
        let Self { pipe, address, fate } = self;
        let why = move || {
            let closed = format!("{address} closed the connection");
            match fate.get() {
                Some(error) => error.clone().map_message(|message| format!("{closed}: {message}")),
                None => Error::unavailable(closed),
            }
        };
        (pipe, why)
    }
}

/// Connects to `address`, and waits meanwhile.
///
/// # Errors
/// UNAVAILABLE when nobody listens there, FAILED_PRECONDITION for plaintext beyond this machine, PERMISSION_DENIED when the peer is not who it should be, UNAUTHENTICATED when certificates do not
/// fit, INVALID_ARGUMENT for certificates that cannot be read.
pub fn connect_socket(address: &Address, options: &ConnectOptions) -> Result<Connected, Error> {
    address.check_plaintext(options.allow_plaintext)?;
    let prefixed = |error: Error| error.map_message(|message| format!("cannot connect to {address}: {message}"));
    let (pipe, fate) = match &address.place {
        Place::Unix(path) => {
            check_socket_file(path).map_err(prefixed)?;
            let socket = UnixStream::connect(path).map_err(|error| prefixed(refused(error)))?;
            check_peer(&socket).map_err(prefixed)?;
            (socket_pipe(socket.into())?, Fate::default())
        }
        Place::Tcp(host, port) => {
            let socket = connect_tcp(address, host, *port, options, options.allow_plaintext).map_err(prefixed)?;
            (socket_pipe(socket.into())?, Fate::default())
        }
        Place::Tls(host, port) => {
            let until = Instant::now() + options.timeout;
            let socket = connect_tcp(address, host, *port, options, true).map_err(prefixed)?;
            connect_tls(socket, host, options.tls.as_ref(), until).map_err(prefixed)?
        }
    };
    Ok(Connected { pipe, address: address.clone(), fate })
}

fn connect_tcp(
    address: &Address,
    host: &str,
    port: u16,
    options: &ConnectOptions,
    anywhere: bool,
) -> Result<TcpStream, Error> {
    if port == 0 {
        return Err(Error::invalid_argument(format!("{address}: expected a port to connect to, got 0")));
    }
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(refused)?.collect();
    let mut last = Error::unavailable(format!("{host} has no address"));
    for place in found {
        if !anywhere && !place.ip().to_canonical().is_loopback() {
            last = Error::failed_precondition(format!("{host} is {}, which is not this machine", place.ip()));
            continue;
        }
        match TcpStream::connect_timeout(&place, options.timeout) {
            Ok(socket) => {
                tune_tcp(&socket);
                return Ok(socket);
            }
            Err(error) => last = refused(error),
        }
    }
    Err(last)
}

/// Sends at once, and notices a peer that has gone without a word.
pub(crate) fn tune_tcp(socket: &TcpStream) {
    // What the system refuses of this costs time, and nothing else.
    let _ = socket.set_nodelay(true);
    let _ = sockopt::set_socket_keepalive(socket, true);
    #[cfg(target_os = "linux")]
    let _ = sockopt::set_tcp_keepidle(socket, KEEP_ALIVE);
}

/// One socket as both directions of a channel.
pub(crate) fn socket_pipe(socket: OwnedFd) -> Result<Pipe, Error> {
    let pipe = || -> io::Result<Pipe> {
        let write = rustix::io::fcntl_dupfd_cloexec(socket.as_fd(), 3)?;
        Pipe::new(socket, write)
    };
    pipe().map_err(|error| Error::unavailable(format!("the channel cannot be opened: {error}")).with_source(error))
}

/// The error of a connection that was not made.
fn refused(error: io::Error) -> Error {
    let (code, why) = match error.kind() {
        io::ErrorKind::PermissionDenied => (Code::PermissionDenied, "this user may not connect".to_owned()),
        io::ErrorKind::ConnectionRefused => (Code::Unavailable, "nobody listens there".to_owned()),
        _ => (Code::Unavailable, error.to_string()),
    };
    Error::new(code, why).with_source(error)
}
