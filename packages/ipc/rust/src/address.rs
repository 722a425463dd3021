//! Where a plugin is served: `unix:/run/x.sock`, `tcp://127.0.0.1:9000`, `tls://plugins.example:9000`.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyplug_core::Error;

/// The longest path that fits into an address of the system, in bytes: 108 on Linux and 104 elsewhere, with the zero at its end.
const MAX_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

const EXPECTED: &str = "expected unix:PATH, tcp://HOST:PORT or tls://HOST:PORT, such as unix:/run/plugin.sock, tcp://127.0.0.1:9000 or tcp://[::1]:9000";

/// The socket of a plugin, or of a set of plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The socket.
    pub place: Place,
    /// One plugin of a set, where the address ends in `#name`; empty: the only one.
    pub plugin: String,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
    /// A host, by name or number, and a port.
    Tcp(String, u16),
    /// The same, by TLS.
    Tls(String, u16),
}

/// Stands before an address where JSON-RPC is spoken: `json-rpc+unix:/run/x.sock`.
pub const JSON_RPC_PREFIX: &str = "json-rpc+";

/// What is behind `json-rpc+`; none for another address.
pub fn json_rpc_place(text: &str) -> Option<&str> {
    text.strip_prefix(JSON_RPC_PREFIX)
}

impl Address {
    /// Whether `text` is meant as an address, and not as the path of a plugin.
    pub fn is_meant(text: &str) -> bool {
        let text = json_rpc_place(text).unwrap_or(text);
        ["unix:", "tcp:", "tls:"].iter().any(|scheme| text.starts_with(scheme))
    }

    /// "unix", "tcp" or "tls".
    pub fn transport(&self) -> &'static str {
        match self.place {
            Place::Unix(_) => "unix",
            Place::Tcp(..) => "tcp",
            Place::Tls(..) => "tls",
        }
    }

    /// The same socket, without the name of a plugin.
    #[must_use]
    pub fn without_plugin(mut self) -> Self {
        self.plugin.clear();
        self
    }

    /// Refuses TCP without TLS to or on another machine's network, unless it is asked for.
    ///
    /// # Errors
    /// FAILED_PRECONDITION, with what to do.
    pub(crate) fn check_plaintext(&self, allow_plaintext: bool) -> Result<(), Error> {
        match &self.place {
            Place::Tcp(host, _) if !allow_plaintext && !is_loopback(host) => Err(Error::failed_precondition(format!(
                "{self} is not on this machine alone, and tcp:// is neither encrypted nor authenticated: use tls:// with certificates, or allow it by name (allowPlaintext in TypeScript, \
                 allow_plaintext in Python and Rust)"
            ))),
            _ => Ok(()),
        }
    }
}

/// Whether a host, by name or number, is this machine and nothing else.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl FromStr for Address {
    type Err = Error;

    /// INVALID_ARGUMENT for an address that is wrong, with what was expected.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::invalid_argument(format!("address {text:?}: {why}"));
        let (place, plugin) = match text.split_once('#') {
            Some((place, plugin)) if is_name(plugin) => (place, plugin),
            Some(_) => {
                return Err(wrong(
                    "expected the name of a plugin after #: lower-case letters, digits and dashes, beginning with a letter",
                ));
            }
            None => (text, ""),
        };
        let place = if let Some(path) = place.strip_prefix("unix:") {
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            if path.is_empty() || path.contains('\0') {
                return Err(wrong(EXPECTED));
            }
            let path = std::path::absolute(path).map_err(|_| wrong(EXPECTED))?;
            let bytes = path.as_os_str().len();
            if bytes > MAX_PATH_BYTES {
                return Err(wrong(&format!("the path takes {bytes} bytes, and a socket's takes {MAX_PATH_BYTES}")));
            }
            Place::Unix(path)
        } else {
            let parsed = place.split_once("://").and_then(|(kind, rest)| Some((kind, host_and_port(rest)?)));
            match parsed {
                Some(("tcp", (host, port))) => Place::Tcp(host, port),
                Some(("tls", (host, port))) => Place::Tls(host, port),
                _ => return Err(wrong(EXPECTED)),
            }
        };
        Ok(Self { place, plugin: plugin.to_owned() })
    }
}

fn is_name(name: &str) -> bool {
    let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    name.starts_with(|char: char| char.is_ascii_lowercase()) && name.chars().all(is_inner)
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(six) => six.parse::<std::net::Ipv6Addr>().ok()?.to_string(),
        None if host.is_empty() || host.contains([':', '/', '?', '@', '[', ']', ' ']) => return None,
        None => host.to_owned(),
    };
    Some((host, port.parse().ok()?))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Unix(path) => write!(f, "unix:{}", path.display())?,
            Place::Tcp(host, port) | Place::Tls(host, port) if host.contains(':') => {
                write!(f, "{}://[{host}]:{port}", self.transport())?;
            }
            Place::Tcp(host, port) | Place::Tls(host, port) => write!(f, "{}://{host}:{port}", self.transport())?,
        }
        if self.plugin.is_empty() { Ok(()) } else { write!(f, "#{}", self.plugin) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        for text in [
            "unix:/run/x.sock",
            "unix:/run/x.sock#eliza",
            "tcp://127.0.0.1:9000",
            "tcp://[::1]:0",
            "tls://plugins.example:9000#a-1",
        ] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
        assert_eq!("unix:///run/x".parse::<Address>().expect("three slashes").to_string(), "unix:/run/x");
        let relative: Address = "unix:x.sock".parse().expect("a relative path");
        assert!(matches!(relative.place, Place::Unix(path) if path.is_absolute()));
    }

    #[test]
    fn a_wrong_address_is_refused_with_what_was_expected() {
        for text in [
            "unix:",
            "tcp:127.0.0.1:9000",
            "tcp://127.0.0.1",
            "tcp://:9000",
            "tcp://::1:9000",
            "tcp://host:70000",
            "tcp://host:+5",
            "tls://a/b:1",
            "tcp://[zz]:1",
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert!(error.message().starts_with(&format!("address {text:?}: expected unix:PATH")), "{error}");
        }
        let error = "unix:/x#Eliza".parse::<Address>().expect_err("a wrong name");
        assert!(error.message().contains("name of a plugin after #"), "{error}");
        let long = format!("unix:/{}", "x".repeat(200));
        assert!(long.parse::<Address>().expect_err("too long").message().contains("the path takes 201 bytes"));
    }

    #[test]
    fn plaintext_stays_on_this_machine() {
        for (text, is_allowed) in [
            ("tcp://127.9.9.9:1", true),
            ("tcp://[::1]:1", true),
            ("tcp://[::ffff:127.0.0.1]:1", true),
            ("tcp://localhost:1", true),
            ("tcp://0.0.0.0:1", false),
            ("tcp://[::]:1", false),
            ("tcp://10.0.0.1:1", false),
            ("tcp://localhost.example:1", false),
            ("tls://10.0.0.1:1", true),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.check_plaintext(false).is_ok(), is_allowed, "{text}");
            assert!(address.check_plaintext(true).is_ok());
        }
    }
}
