//! A plugin: its name, and the services that it offers.

use std::fmt;
use std::sync::Arc;

use anyplug_core::router::{Grants, RouterOptions};
use anyplug_core::{Error, Implementation, LimitOptions, Result, Router, Service, ServiceEntry};
use anyplug_direct::Definition;
use serde_json::Value;

/// What a host loads: a name, a version and services.
///
/// ```
/// use anyplug_sdk::Plugin;
///
/// let plugin = Plugin::new("eliza-classic", env!("CARGO_PKG_VERSION"));
/// assert_eq!(plugin.name(), "eliza-classic");
/// ```
#[must_use = "a plugin does nothing until it is served or loaded"]
pub struct Plugin {
    name: String,
    version: String,
    services: Vec<Implementation>,
    configure: Option<Configure>,
    uses: Vec<Arc<ServiceEntry>>,
    limits: LimitOptions,
}

type Configure = Box<dyn Fn(&Value) -> Result<Vec<Implementation>> + Send + Sync>;

impl Plugin {
    /// A plugin that offers nothing yet.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            services: Vec::new(),
            configure: None,
            uses: Vec::new(),
            limits: LimitOptions::default(),
        }
    }

    /// Offers a service: `plugin.service(Eliza::implement(MyEliza))`.
    pub fn service(mut self, service: Implementation) -> Self {
        self.services.push(service);
        self
    }

    /// Offers the services that `configure` makes of the configuration which the host gives (an object, empty when it gives none), beside those of [`Plugin::service`]. An error refuses the start:
    /// the host's load fails with it. It is called for each host that connects to a plugin which is served on a socket: these services are the host's own.
    pub fn configured(
        mut self,
        configure: impl Fn(&Value) -> Result<Vec<Implementation>> + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// Says that the plugin means to call a service of its host, so that the schemas are compared when it is loaded.
    pub fn uses<S: Service>(mut self) -> Self {
        self.uses.push(Arc::new(S::DESCRIPTOR.into()));
        self
    }

    /// Limits of this plugin's own. What is not set is as the host says.
    pub fn limits(mut self, limits: LimitOptions) -> Self {
        self.limits = limits;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn own_limits(&self) -> LimitOptions {
        self.limits
    }

    /// What the plugin serves with this configuration, or why it refuses to start.
    pub(crate) fn router(&self, config: &Value) -> Result<Router> {
        check_name(&self.name)?;
        let (mut services, uses) = (self.services.clone(), self.uses.clone());
        if let Some(configure) = &self.configure {
            services.extend(configure(config)?);
        }
        Router::new(RouterOptions { services, uses, grants: Grants::All, config: config.to_string() })
    }
}

impl From<Plugin> for Definition {
    /// For a host that the plugin is linked into.
    fn from(plugin: Plugin) -> Self {
        Self {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            limits: plugin.limits,
            start: Box::new(move |config| {
                let config = if config.is_empty() { "{}" } else { config };
                plugin.router(&parse_config(config)?)
            }),
        }
    }
}

/// The configuration, from the JSON that a host gave.
pub(crate) fn parse_config(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::invalid_argument(format!("the configuration is not JSON: {error}")).with_source(error))
}

/// The name is the one in plugin.json, which takes no other.
fn check_name(name: &str) -> Result<()> {
    let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    if name.starts_with(|char: char| char.is_ascii_lowercase()) && name.chars().all(is_inner) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "the plugin's name is {name:?}; expected lower-case letters, digits and dashes, beginning with a letter"
    )))
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
