//! A plugin that speaks JSON-RPC: a process, on its standard streams, or behind an address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyplug_core::transport::{Link, MethodRef, Running};
use anyplug_core::{
    BoxFuture, CallOptions, CallStream, Connection, ConnectionOptions, Error, Payload, PeerInfo, Result, Role,
    ServiceDescriptor, ServiceEntry, Shell, Transport,
};
use anyplug_ipc::{
    Address, ConnectOptions, Driver, Ending, JSON_RPC_PREFIX, Pipe, PluginProcess, ProcessOptions, Runtime,
    connect_socket, start_process,
};
use anyplug_jsonrpc::{Drive, DriveOptions};

use crate::manifest::Manifest;
use crate::options::LoadOptions;
use crate::plan::{Plan, host_name, host_router};
use crate::socket::check_options;
use crate::wait::block_on;

/// Says why a channel has ended.
pub type WhyEnded = Box<dyn Fn() -> Error + Send + Sync>;

/// Starts the process of a plugin that speaks JSON-RPC. What is returned with it is a channel on which `services` are served.
///
/// # Errors
/// As [`start_process`]; INTERNAL when a service has no descriptors.
pub fn start_json_rpc(
    plan: &Plan,
    options: &LoadOptions,
    services: Vec<Arc<ServiceEntry>>,
) -> Result<(Arc<PluginProcess>, Arc<Drive>, Pipe)> {
    let started = ProcessOptions { stdio: true, json_rpc: true, ..plan.process_options(options)? };
    let (process, json) = start_process(&started)?;
    let process = Arc::new(process);
    let (printer, ended, killed) = (Arc::downgrade(&process), Arc::downgrade(&process), Arc::downgrade(&process));
    let manifest = &plan.located.manifest;
    let (drive, pipe) = Drive::start(
        json,
        DriveOptions {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            services,
            limits: plan.limits,
            on_printed: Some(Box::new(move |line| {
                if let Some(process) = printer.upgrade() {
                    process.printed(format!("{line}\n").as_bytes());
                }
            })),
            why_ended: Box::new(move || {
                ended.upgrade().map_or_else(
                    || Error::unavailable("the plugin was dropped by its host"),
                    |process| process.why_ended(),
                )
            }),
            on_failure: Box::new(move || {
                if let Some(process) = killed.upgrade() {
                    process.kill_now();
                }
            }),
        },
    )?;
    Ok((process, drive, pipe))
}

/// Connects to a plugin that speaks JSON-RPC at an address. What is returned with it is a channel on which `services` are served, and what says why it ended.
///
/// # Errors
/// As [`connect_socket`]; INVALID_ARGUMENT for an option that is for other transports.
pub fn connect_json_rpc(
    address: &Address,
    options: &LoadOptions,
    services: Vec<Arc<ServiceEntry>>,
) -> Result<(Arc<Drive>, Pipe, WhyEnded)> {
    check_options(address, options)?;
    if !options.config.is_empty() {
        let message = format!("config: {JSON_RPC_PREFIX}{address} takes none: JSON-RPC has no way to tell it");
        return Err(Error::invalid_argument(message));
    }
    let LoadOptions { tls, allow_plaintext, start_timeout, .. } = options;
    let rules = ConnectOptions { tls: tls.clone(), allow_plaintext: *allow_plaintext, timeout: *start_timeout };
    let (json, why) = connect_socket(address, &rules)?.into_parts();
    let why = Arc::new(why);
    let told = why.clone();
    let (drive, pipe) = Drive::start(
        json,
        DriveOptions {
            name: name_at(address),
            version: String::new(),
            services,
            limits: options.limits,
            on_printed: None,
            why_ended: Box::new(move || told()),
            on_failure: Box::new(|| {}),
        },
    )?;
    Ok((drive, pipe, Box::new(move || why())))
}

/// Connects as [`connect_json_rpc`] does, for a shell of the caller's own: the channel, what says why it ended, and what makes the connection.
///
/// # Errors
/// As [`connect_json_rpc`].
#[expect(clippy::type_complexity, reason = "three parts, each used once")]
pub fn dial_json_rpc(
    address: &Address,
    options: &LoadOptions,
    services: Vec<Arc<ServiceEntry>>,
) -> Result<(Pipe, WhyEnded, Box<dyn FnOnce(Arc<dyn Shell>) -> Result<Connection>>)> {
    let (_, pipe, why) = connect_json_rpc(address, options, services)?;
    let options = options.clone();
    Ok((pipe, why, Box::new(move |shell| connection(&options, &options.grants, shell))))
}

/// This side of a channel.
fn connection(options: &LoadOptions, grants: &[String], shell: Arc<dyn Shell>) -> Result<Connection> {
    let router = host_router(options, grants)?;
    let connection = ConnectionOptions::new(Role::Host, host_name(options), "", router, shell);
    Connection::new(ConnectionOptions { limits: options.limits, ..connection })
}

/// The name of a plugin at an address: JSON-RPC does not tell it.
fn name_at(address: &Address) -> String {
    if address.plugin.is_empty() { format!("{JSON_RPC_PREFIX}{address}") } else { address.plugin.clone() }
}

/// What plugin.json would say of a plugin at an address.
pub fn json_rpc_manifest(address: &Address) -> Manifest {
    let transports = Some(vec![address.transport().to_owned()]);
    Manifest { name: name_at(address), transports, ..Manifest::default() }
}

/// A plugin behind JSON-RPC, and the link to it. Dropped, its process is killed.
pub(crate) struct JsonRpcInstance {
    link: Arc<JsonRpcLink>,
    process: Option<Arc<PluginProcess>>,
    name: String,
    drain_timeout: Duration,
    closing: Mutex<()>,
}

impl JsonRpcInstance {
    /// Starts the plugin's process. Whether it works, its first call shows: JSON-RPC has no hello.
    ///
    /// # Errors
    /// As [`start_json_rpc`].
    pub(crate) fn start(
        plan: &Plan,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        look: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        host_router(options, &plan.grants)?;
        let (process, drive, pipe) = start_json_rpc(plan, options, options.expect.clone())?;
        let ended = process.clone();
        let name = plan.located.manifest.name.clone();
        let (link, grants) = (Ported { drive, why: Arc::new(move || ended.why_ended()) }, plan.grants.clone());
        let options = LoadOptions { limits: plan.limits, ..options.clone() };
        Self::open(link, pipe, (name, Some(process)), grants, &options, runtime, look)
    }

    /// Connects to the plugin.
    ///
    /// # Errors
    /// As [`connect_json_rpc`].
    pub(crate) fn connect(
        address: &Address,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        look: impl FnMut() -> Result<()>,
    ) -> Result<(Self, Manifest)> {
        host_router(options, &options.grants)?;
        let (drive, pipe, why) = connect_json_rpc(address, options, options.expect.clone())?;
        let manifest = json_rpc_manifest(address);
        let link = Ported { drive, why: Arc::from(why) };
        let who = (manifest.name.clone(), None);
        Ok((Self::open(link, pipe, who, options.grants.clone(), options, runtime, look)?, manifest))
    }

    fn open(
        ported: Ported,
        pipe: Pipe,
        (name, process): (String, Option<Arc<PluginProcess>>),
        grants: Vec<String>,
        options: &LoadOptions,
        runtime: Arc<dyn Runtime>,
        mut look: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let link = JsonRpcLink::start(ported, pipe, grants, options.clone(), runtime)?;
        let drain_timeout = options.drain_timeout;
        let instance = Self { link, process, name, drain_timeout, closing: Mutex::default() };
        let until = Instant::now() + options.start_timeout;
        let late = || Error::deadline_exceeded(format!("plugin \"{}\" was not ready in time", instance.name));
        let in_time = || if Instant::now() < until { look() } else { Err(late()) };
        block_on(instance.link.wait_opened(), in_time).and_then(|opened| opened)?;
        Ok(instance)
    }

    pub(crate) fn link(&self) -> Arc<dyn Link> {
        self.link.clone()
    }

    /// Lets calls in flight end, and then ends the plugin. Calling it again waits for the same end.
    pub(crate) fn close(&self) {
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + self.drain_timeout;
        let in_time = || if Instant::now() < until { Ok(()) } else { Err(()) };
        // Calls that take longer end with the link.
        let _ = block_on(self.link.drain(), in_time);
        self.link.close(Error::unavailable(format!("plugin \"{}\" was closed", self.name)));
        if let Some(process) = &self.process {
            process.stop();
        }
    }
}

impl Drop for JsonRpcInstance {
    fn drop(&mut self) {
        self.link.close(Error::unavailable(format!("plugin \"{}\" was dropped by its host", self.name)));
        if let Some(process) = &self.process {
            process.kill_now();
        }
    }
}

/// A peer to which channels can be opened.
struct Ported {
    drive: Arc<Drive>,
    why: Arc<dyn Fn() -> Error + Send + Sync>,
}

/// Calls a peer by typed clients. It has no schema of its own: a service that was not expected when it was loaded gets a channel of its own when it is first called, by the descriptors of the caller.
struct JsonRpcLink {
    ported: Ported,
    base: Arc<Driver>,
    grants: Vec<String>,
    options: LoadOptions,
    runtime: Arc<dyn Runtime>,
    others: Mutex<HashMap<&'static str, Arc<Driver>>>,
}

impl JsonRpcLink {
    fn start(
        ported: Ported,
        pipe: Pipe,
        grants: Vec<String>,
        options: LoadOptions,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Arc<Self>> {
        let base = connect(&ported, pipe, &grants, &options, &runtime)?;
        Ok(Arc::new(Self { ported, base, grants, options, runtime, others: Mutex::default() }))
    }

    fn link_to(&self, service: &'static ServiceDescriptor) -> Result<Connection> {
        if self.options.expect.iter().any(|expected| expected.name == service.name) {
            return Ok(self.base.connection().clone());
        }
        if let Some(reason) = self.base.connection().close_reason() {
            return Err(reason);
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(service.name) {
            return Ok(known.connection().clone());
        }
        let pipe = self.ported.drive.open(vec![Arc::new(service.into())])?;
        let driver = connect(&self.ported, pipe, &self.grants, &self.options, &self.runtime)?;
        let connection = driver.connection().clone();
        others.insert(service.name, driver);
        Ok(connection)
    }

    fn all(&self) -> Vec<Arc<Driver>> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.values().cloned().chain([self.base.clone()]).collect()
    }
}

/// Moves the bytes of a channel.
fn connect(
    ported: &Ported,
    pipe: Pipe,
    grants: &[String],
    options: &LoadOptions,
    runtime: &Arc<dyn Runtime>,
) -> Result<Arc<Driver>> {
    let why = ported.why.clone();
    let ending = Ending { why: Box::new(move || why()), then: Box::new(|| {}) };
    Driver::start_over(pipe, ending, runtime.clone(), |shell| connection(options, grants, shell))
}

impl Transport for JsonRpcLink {
    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running {
        match self.link_to(method.service) {
            Ok(link) => Running::Waits(Box::pin(async move {
                link.ready().await?;
                Transport::unary(&link, method, request, options).ended().await
            })),
            Err(error) => Running::Ended(Err(error)),
        }
    }

    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        let link = self.link_to(method.service);
        Box::pin(async move {
            let link = link?;
            link.ready().await?;
            link.stream(method, request, options).await
        })
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.runtime.spawn(future);
    }
}

impl Link for JsonRpcLink {
    fn peer_info(&self) -> Option<PeerInfo> {
        self.base.connection().peer_info()
    }

    fn wait_opened(&self) -> BoxFuture<Result<()>> {
        self.base.connection().wait_opened()
    }

    fn wait_closed(&self) -> BoxFuture<Error> {
        Link::wait_closed(self.base.connection())
    }

    fn negotiate(&self, _: Arc<ServiceEntry>) -> BoxFuture<Result<()>> {
        // The peer cannot be asked: what it lacks, it says when it is called.
        Box::pin(std::future::ready(Ok(())))
    }

    fn negotiate_uses(&self) -> BoxFuture<Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn drain(&self) -> BoxFuture<()> {
        let draining: Vec<_> = self.all().iter().map(|driver| driver.connection().drain()).collect();
        Box::pin(async move {
            for drain in draining {
                drain.await;
            }
        })
    }

    fn close(&self, reason: Error) {
        for driver in self.all() {
            driver.connection().closed(reason.clone());
            driver.close();
        }
    }
}
