//! HELLO: what each side tells the other first, and the version of the protocol that comes of it.

use prost::Message;

use crate::descriptor::ServiceEntry;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::wire;

/// The first bytes of each direction.
pub const MAGIC: [u8; 8] = *b"anyplug\n";
/// The newest version of the protocol that this library speaks.
pub const PROTOCOL: u32 = 1;
/// The oldest version of the protocol that this library speaks.
pub const MIN_PROTOCOL: u32 = 1;
/// How many methods the services of one side may have together.
pub const MAX_METHODS: usize = 65_535;
/// The service that is the first of every table.
pub const REFLECTION_SERVICE: &str = "anyplug.reflection.v1.ReflectionService";

/// What one side tells of itself.
#[derive(Clone, Debug, Default)]
pub struct HelloOptions {
    /// The name of the plugin or host program, such as `eliza-classic`.
    pub name: String,
    /// The version of the plugin or host program.
    pub version: String,
    /// The language and library, for people and logs only.
    pub runtime: String,
    /// What is served; the methods in this order form the method table.
    pub services: Vec<ServiceEntry>,
    /// What the peer is expected to serve.
    pub uses: Vec<ServiceUse>,
    /// Of a host, where a set of plugins is served at one address: the name of the one that it wants. Empty: the only one.
    pub plugin: String,
    /// Of a host, over a socket: the plugin's configuration, a JSON object. Empty: none.
    pub config: String,
}

/// A service that one side means to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceUse {
    /// The full name of the service.
    pub name: String,
    /// The fingerprint of the schema that the stubs were generated from.
    pub fingerprint: String,
}

impl HelloOptions {
    /// Appends the payload of HELLO to `out`.
    pub(crate) fn encode(&self, limits: Limits, out: &mut Vec<u8>) {
        let service = |entry: &ServiceEntry| wire::Service {
            name: entry.name.clone().into_owned(),
            fingerprint: entry.fingerprint.clone().into_owned(),
            methods: entry.methods.iter().map(|method| method.name.clone().into_owned()).collect(),
        };
        let used =
            |used: &ServiceUse| wire::ServiceUse { name: used.name.clone(), fingerprint: used.fingerprint.clone() };
        let _ = wire::Hello {
            protocol: PROTOCOL,
            min_protocol: MIN_PROTOCOL,
            name: self.name.clone(),
            version: self.version.clone(),
            runtime: self.runtime.clone(),
            limits: Some(limits.into()),
            services: self.services.iter().map(service).collect(),
            uses: self.uses.iter().map(used).collect(),
            plugin: self.plugin.clone(),
            config: self.config.clone(),
        }
        .encode(out);
    }
}

/// A service that the peer offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerService {
    /// The full name of the service.
    pub name: String,
    /// The fingerprint of its schema; empty for services of the protocol itself.
    pub fingerprint: String,
    /// The names of its methods, in the order of its schema.
    pub methods: Vec<String>,
    /// The index of its first method in the peer's table.
    pub first_index: usize,
}

/// What the peer's HELLO said.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The name of the plugin or host program.
    pub name: String,
    /// The version of the plugin or host program.
    pub version: String,
    /// The language and library of the peer, for people and logs only.
    pub runtime: String,
    /// The version of the protocol that both sides use.
    pub protocol: u32,
    /// What the peer accepts.
    pub limits: Limits,
    /// What the peer serves.
    pub services: Vec<PeerService>,
    /// What the peer expects this side to serve.
    pub uses: Vec<ServiceUse>,
    /// Of a host: the plugin that it wants, where a set is served at one address. Empty: the only one.
    pub plugin: String,
    /// Of a host: the configuration of a plugin that it did not start, as JSON. Empty: none.
    pub config: String,
}

impl Peer {
    /// Takes over what a HELLO says, and chooses the version.
    ///
    /// # Errors
    /// FAILED_PRECONDITION, when no version is common; INTERNAL, when its table has too many methods.
    pub(crate) fn new(hello: wire::Hello) -> Result<Self> {
        let protocol = negotiate_version(&hello)?;
        let mut services = Vec::with_capacity(hello.services.len());
        let mut first_index = 0;
        for service in hello.services {
            let methods = service.methods.len();
            services.push(PeerService {
                name: service.name,
                fingerprint: service.fingerprint,
                methods: service.methods,
                first_index,
            });
            first_index += methods;
        }
        if first_index > MAX_METHODS {
            return Err(Error::internal(format!(
                "{first_index} methods are served by {:?}, and a connection has at most {MAX_METHODS}",
                hello.name
            )));
        }
        let uses = hello.uses.into_iter().map(|used| ServiceUse { name: used.name, fingerprint: used.fingerprint });
        Ok(Self {
            name: hello.name,
            version: hello.version,
            runtime: hello.runtime,
            protocol,
            limits: hello.limits.unwrap_or_default().into(),
            services,
            uses: uses.collect(),
            plugin: hello.plugin,
            config: hello.config,
        })
    }

    /// Reads the payload of a HELLO, for whoever has to know what a host wants before there is a connection.
    ///
    /// # Errors
    /// INTERNAL when it is none; as the connection does, when it cannot be used.
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let hello = wire::Hello::decode(payload).map_err(|error| Error::internal(format!("a hello: {error}")))?;
        Self::new(hello)
    }

    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&PeerService> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The index of a method in the peer's table.
    ///
    /// # Errors
    /// UNIMPLEMENTED, naming the service or method that the peer does not have and what it has.
    pub fn method_index(&self, service: &str, method: &str) -> Result<u16> {
        let Some(found) = self.service(service) else {
            let offered: Vec<_> = self.services.iter().skip(1).map(|service| service.name.as_str()).collect();
            let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
            return Err(Error::unimplemented(format!("{:?} does not serve {service}; it serves {offered}", self.name)));
        };
        match found.methods.iter().position(|name| name == method) {
            Some(index) => Ok((found.first_index + index) as u16),
            None => {
                let (name, methods) = (&self.name, found.methods.join(", "));
                Err(Error::unimplemented(format!("{name:?} has no method {service}/{method}; it has {methods}")))
            }
        }
    }
}

/// The smaller of both newest versions.
fn negotiate_version(hello: &wire::Hello) -> Result<u32> {
    let version = hello.protocol.min(PROTOCOL);
    if version >= hello.min_protocol && version >= MIN_PROTOCOL {
        return Ok(version);
    }
    Err(Error::failed_precondition(format!(
        "{:?} speaks anyplug protocol {} to {}, this side {MIN_PROTOCOL} to {PROTOCOL}; update the older one",
        hello.name, hello.min_protocol, hello.protocol
    )))
}
