//! Mutual TLS 1.3: both sides show a certificate of the same authority. A thread for each connection carries the bytes between the network and a pair of sockets, whose other end is a channel like
//! any other.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyplug_core::Error;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};

use crate::carry::carry;
use crate::connect::socket_pipe;
use crate::pipe::Pipe;

/// The certificates of one side. Each is PEM, or the path of a file that holds it.
#[derive(Clone, Default)]
pub struct TlsOptions {
    /// This side's certificate, with those between it and the authority.
    pub certificate: String,
    /// The key of the certificate.
    pub key: String,
    /// The authority that the peer's certificate has to be of.
    pub ca: String,
    /// The name that the certificate of a plugin has to bear. Default: the host of the address.
    pub server_name: Option<String>,
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is not shown.
        f.debug_struct("TlsOptions").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// What a listening side shows and asks for.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// # Errors
    /// INVALID_ARGUMENT for certificates that are missing or cannot be used.
    pub(crate) fn new(options: Option<&TlsOptions>) -> Result<Self, Error> {
        let (certificates, key, roots) = read(options)?;
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().map_err(unusable)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(certificates, key))
            .map_err(unusable)?;
        Ok(Self(Arc::new(config)))
    }
}

/// Why a channel by TLS ended, where TLS knows.
pub(crate) type Fate = Arc<OnceLock<Error>>;

/// Does the handshake of a host, and starts the thread that carries its bytes.
pub(crate) fn connect_tls(
    socket: TcpStream,
    host: &str,
    options: Option<&TlsOptions>,
    until: Instant,
) -> Result<(Pipe, Fate), Error> {
    let (certificates, key, roots) = read(options)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .and_then(|builder| builder.with_root_certificates(roots).with_client_auth_cert(certificates, key))
        .map_err(unusable)?;
    let name = options.and_then(|options| options.server_name.as_deref()).unwrap_or(host);
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| Error::invalid_argument(format!("tls.server_name: {name:?}: {error}")))?;
    let tls = ClientConnection::new(Arc::new(config), name).map_err(unusable)?;
    start(Connection::Client(tls), socket, until)
}

/// Does the handshake of a plugin, and starts the thread that carries its bytes.
pub(crate) fn accept_tls(socket: TcpStream, tls: &ServerTls, until: Instant) -> Result<Pipe, Error> {
    let tls = ServerConnection::new(tls.0.clone()).map_err(unusable)?;
    Ok(start(Connection::Server(tls), socket, until)?.0)
}

fn start(mut tls: Connection, mut socket: TcpStream, until: Instant) -> Result<(Pipe, Fate), Error> {
    shake_hands(&mut tls, &mut socket, until)?;
    let fate = Fate::default();
    let unavailable = |error: io::Error| Error::unavailable(format!("no channel for TLS: {error}")).with_source(error);
    let (local, channel) = UnixStream::pair().map_err(unavailable)?;
    let told = fate.clone();
    let thread = std::thread::Builder::new().name("anyplug-tls".to_owned()).stack_size(256 << 10);
    thread
        .spawn(move || {
            if let Err(error) = carry(&mut tls, socket, local) {
                let _ = told.set(failed(error));
            }
        })
        .map_err(unavailable)?;
    Ok((socket_pipe(channel.into())?, fate))
}

fn shake_hands(tls: &mut Connection, socket: &mut TcpStream, until: Instant) -> Result<(), Error> {
    while tls.is_handshaking() || tls.wants_write() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::deadline_exceeded("the TLS handshake took too long"));
        }
        let timeouts = socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left)));
        timeouts.map_err(failed)?;
        if tls.wants_write() {
            tls.write_tls(socket).map_err(failed)?;
            continue;
        }
        if tls.read_tls(socket).map_err(failed)? == 0 {
            return Err(failed(ErrorKind::UnexpectedEof.into()));
        }
        if let Err(error) = tls.process_new_packets() {
            // The peer is told why, if it listens.
            let _ = tls.write_tls(socket);
            return Err(failed(io::Error::new(ErrorKind::InvalidData, error)));
        }
    }
    Ok(())
}

fn failed(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidData => Error::unauthenticated(format!("TLS: {error}")).with_source(error),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::deadline_exceeded("the TLS handshake took too long"),
        ErrorKind::UnexpectedEof => Error::unavailable("the peer closed the connection in the TLS handshake"),
        _ => Error::unavailable(error.to_string()).with_source(error),
    }
}

type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, RootCertStore);

fn read(options: Option<&TlsOptions>) -> Result<Credentials, Error> {
    let Some(options) = options else {
        return Err(Error::invalid_argument("tls:// needs certificates: expected tls with certificate, key and ca"));
    };
    let certificates = certificates(&options.certificate, "tls.certificate")?;
    let key = PrivateKeyDer::from_pem_slice(&pem(&options.key, "tls.key")?)
        .map_err(|error| Error::invalid_argument(format!("tls.key: expected a key in PEM: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in self::certificates(&options.ca, "tls.ca")? {
        roots.add(certificate).map_err(unusable)?;
    }
    Ok((certificates, key, roots))
}

fn certificates(value: &str, member: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = pem(value, member)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::invalid_argument(format!("{member}: expected certificates in PEM"))),
        Err(error) => Err(Error::invalid_argument(format!("{member}: expected certificates in PEM: {error}"))),
    }
}

/// PEM itself, or what a file holds.
fn pem(value: &str, member: &str) -> Result<Vec<u8>, Error> {
    if value.contains("-----BEGIN ") {
        return Ok(value.as_bytes().to_vec());
    }
    fs::read(value).map_err(|error| {
        Error::invalid_argument(format!("{member}: expected PEM or the path of such a file: {value:?}: {error}"))
            .with_source(error)
    })
}

fn unusable(error: impl fmt::Display) -> Error {
    Error::invalid_argument(format!("tls: the certificates cannot be used: {error}"))
}
