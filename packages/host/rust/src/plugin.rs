//! A loaded plugin.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use anyplug_core::transport::Link;
use anyplug_core::{Caller, Client, Error, Result, Service, ServiceDescriptor};

use crate::direct::DirectInstance;
use crate::ffi::FfiInstance;
use crate::instance::Instance;
use crate::json_rpc::JsonRpcInstance;
use crate::manifest::Manifest;
use crate::offload::offload;
use crate::socket::SocketInstance;
use crate::wasm::WasmInstance;

/// A loaded plugin. A clone is another handle of the same one; when the last is dropped, the plugin's process is killed. To end it in good order, [`Plugin::close`] it.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

struct Inner {
    manifest: Option<Manifest>,
    transport: &'static str,
    link: Arc<dyn Link>,
    ending: Ending,
}

/// What ends the plugin. Dropped, it does so at once.
#[derive(Clone)]
enum Ending {
    Process(Arc<Instance>),
    Direct(Arc<DirectInstance>),
    Socket(Arc<SocketInstance>),
    JsonRpc(Arc<JsonRpcInstance>),
    Wasm(Arc<WasmInstance>),
    Ffi(Arc<FfiInstance>),
}

impl Plugin {
    pub(crate) fn of_process(instance: Instance, manifest: Manifest, transport: &'static str) -> Self {
        let link = Arc::new(instance.connection().clone());
        let ending = Ending::Process(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest: Some(manifest), transport, link, ending }) }
    }

    pub(crate) fn of_direct(instance: DirectInstance, manifest: Option<Manifest>) -> Self {
        let link = instance.link();
        let ending = Ending::Direct(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest, transport: "direct", link, ending }) }
    }

    pub(crate) fn of_socket(instance: SocketInstance, manifest: Manifest, transport: &'static str) -> Self {
        let link = instance.link();
        let ending = Ending::Socket(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest: Some(manifest), transport, link, ending }) }
    }

    pub(crate) fn of_json_rpc(instance: JsonRpcInstance, manifest: Manifest, transport: &'static str) -> Self {
        let link = instance.link();
        let ending = Ending::JsonRpc(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest: Some(manifest), transport, link, ending }) }
    }

    pub(crate) fn of_wasm(instance: WasmInstance, manifest: Manifest) -> Self {
        let link = instance.link();
        let ending = Ending::Wasm(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest: Some(manifest), transport: "wasm", link, ending }) }
    }

    pub(crate) fn of_ffi(instance: FfiInstance, manifest: Manifest) -> Self {
        let link = instance.link();
        let ending = Ending::Ffi(Arc::new(instance));
        Self { inner: Arc::new(Inner { manifest: Some(manifest), transport: "ffi", link, ending }) }
    }

    /// Its name, as it says.
    pub fn name(&self) -> String {
        self.inner.link.peer_info().map(|peer| peer.name).unwrap_or_default()
    }

    /// Its version, as it says.
    pub fn version(&self) -> String {
        self.inner.link.peer_info().map(|peer| peer.version).unwrap_or_default()
    }

    /// Its plugin.json; of a plugin at an address, what it says of itself; none for one that is linked into this program and was loaded without.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.inner.manifest.as_ref()
    }

    /// "direct", "process", "stdio", "wasm", "ffi", "unix", "tcp" or "tls".
    pub fn transport(&self) -> &str {
        self.inner.transport
    }

    /// A typed client of one of its services. `ElizaClient::new(&plugin)` is the same. Clients do not keep the plugin alive.
    pub fn client<S: Service>(&self) -> S::Client {
        S::client(self.client_of(S::DESCRIPTOR))
    }

    /// What carries the calls.
    pub fn link(&self) -> &Arc<dyn Link> {
        &self.inner.link
    }

    /// The process; none for a plugin in this one.
    pub fn instance(&self) -> Option<&Arc<Instance>> {
        match &self.inner.ending {
            Ending::Process(instance) => Some(instance),
            Ending::Direct(_) | Ending::Socket(_) | Ending::JsonRpc(_) | Ending::Wasm(_) | Ending::Ffi(_) => None,
        }
    }

    /// Which of the limits of a WebAssembly module are enforced, and how, such as "call_timeout: epochs"; of a shared library, what keeps it from its host, such as "isolation: none"; empty for other
    /// plugins.
    pub fn enforced(&self) -> Vec<String> {
        match &self.inner.ending {
            Ending::Wasm(instance) => instance.enforced(),
            Ending::Ffi(_) => vec!["isolation: none".to_owned()],
            Ending::Process(_) if self.inner.transport == "ffi" => vec!["isolation: process".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Waits until the plugin has ended, by whatever cause; gives the reason.
    pub fn closed(&self) -> impl Future<Output = Error> + Send + 'static {
        self.inner.link.wait_closed()
    }

    /// Closes the plugin: new calls are refused, those in flight may end (for 5 s, unless the options say otherwise), then the plugin is told to end, and made to after 1 s more by TERM, after 2 s more
    /// by KILL. Closing it again waits for the same end.
    ///
    /// # Errors
    /// UNAVAILABLE when the system gives no thread to wait in.
    pub async fn close(&self) -> Result<()> {
        let ending = self.inner.ending.clone();
        offload(move |_| {
            match ending {
                Ending::Process(instance) => instance.close(),
                Ending::Direct(instance) => instance.close(),
                Ending::Socket(instance) => instance.close(),
                Ending::JsonRpc(instance) => instance.close(),
                Ending::Wasm(instance) => instance.close(),
                Ending::Ffi(instance) => instance.close(),
            }
            Ok(())
        })
        .await
    }
}

impl Caller for Plugin {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        Client::new(self.inner.link.clone(), service)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name())
            .field("transport", &self.inner.transport)
            .finish_non_exhaustive()
    }
}
