//! Loads a plugin that is a shared library with ElizaOS's C ABI, and connects it to an agent.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyplug_contracts::agent::{AgentPluginDefinition, AgentRuntime, Json, JsonObject, local_link};
use anyplug_core::{Error, Link, Result};
use anyplug_ffi::{ElizaosAnswer, ElizaosLibrary};
use anyplug_host::locate_library;
use futures_util::future::join_all;

use crate::drive::{Ask, Dialect, driven_plugin};
use crate::functions::{asked_by, json_of};
use crate::worker::Worker;

const MANIFEST: &str = "elizaos_get_manifest";

/// How long the end of calls is waited for that run when the library is closed.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A loaded plugin: register it with an agent. Its library is unloaded when the last handle and the last link are dropped.
#[derive(Clone)]
pub struct LibraryPlugin {
    definition: AgentPluginDefinition,
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    worker: Worker,
    links: Mutex<Vec<Weak<dyn Link>>>,
}

/// Loads a plugin that is a shared library with ElizaOS's C ABI: a folder with a plugin.json whose `interop.sharedLibPath` names it, that file, or the library itself. It runs in this process, which it
/// can do what it likes with. Its functions are called one at a time, in a thread of its own; a call that does not return keeps those behind it waiting, and cannot be ended.
///
/// # Errors
/// NOT_FOUND when there is no such file, INVALID_ARGUMENT for a manifest that is wrong or a file that is no library, FAILED_PRECONDITION for a manifest that names no library, and for a library that is
/// for another machine, has no such ABI or answers no manifest.
pub async fn load_library_plugin(path: impl AsRef<Path>) -> Result<LibraryPlugin> {
    let path = path.as_ref().to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let file = locate_library(&path)?;
        Ok::<_, Error>((Worker::start(ElizaosLibrary::open(&file)?)?, file))
    });
    let (worker, file) = opened.await.map_err(|error| Error::unavailable("the runtime ended").with_source(error))??;
    let answer = worker.call(MANIFEST, Vec::new()).await.unwrap_or(Ok(ElizaosAnswer::Text(None)))?;
    let manifest = match manifest_in(answer) {
        Ok(manifest) => manifest,
        Err(why) => {
            worker.close(END_TIMEOUT).await;
            return Err(Error::failed_precondition(format!("{}: {why}", file.display())));
        }
    };
    let name = manifest.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let shared = Arc::new(Shared { name, worker, links: Mutex::default() });
    let asked = shared.clone();
    let ask: Ask = Arc::new(move |agent, message_type, members| {
        let shared = asked.clone();
        Box::pin(async move {
            tokio::select! {
                answer = shared.ask(message_type, members) => answer,
                reason = agent.context().cancelled() => Err(reason),
            }
        })
    });
    Ok(LibraryPlugin { definition: driven_plugin(&manifest, &ask, Dialect::Methods), shared })
}

impl LibraryPlugin {
    /// What it is: its own manifest, with functions that ask it.
    pub fn definition(&self) -> &AgentPluginDefinition {
        &self.definition
    }

    /// Returns the plugin as an agent registers it. The link ends when the plugin is closed.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when its manifest has a name twice.
    pub fn link(&self, agent: &AgentRuntime) -> Result<Arc<dyn Link>> {
        let link = local_link(self.definition.clone(), agent.name(), agent.services(), |_| {})?;
        let mut links = self.shared.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(&link));
        Ok(link)
    }

    /// Ends it: calls that were made may end, for 5 s; then the library is unloaded, as soon as none is within it. Calls afterwards fail with UNAVAILABLE.
    pub async fn close(&self) {
        let links = std::mem::take(&mut *self.shared.links.lock().unwrap_or_else(PoisonError::into_inner));
        let links: Vec<_> = links.into_iter().filter_map(|link| link.upgrade()).collect();
        // Calls that take longer end with their link.
        let _ = tokio::time::timeout(END_TIMEOUT, join_all(links.iter().map(|link| link.drain()))).await;
        for link in links {
            link.close(self.shared.closed());
        }
        self.shared.worker.close(END_TIMEOUT).await;
    }
}

impl fmt::Debug for LibraryPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryPlugin").field("definition", &self.definition).finish_non_exhaustive()
    }
}

impl Shared {
    async fn ask(&self, message_type: &str, members: JsonObject) -> Result<JsonObject> {
        let mut asked = asked_by(message_type, &members)?;
        if self.worker.exports(asked.function) == Some(false)
            && let Some(answer) = asked.without(&members)
        {
            return Ok(answer);
        }
        let arguments = std::mem::take(&mut asked.arguments);
        let answer = self.worker.call(asked.function, arguments).await.unwrap_or_else(|| Err(self.closed()));
        let told = |error: Error| error.map_message(|message| format!("plugin \"{}\": {message}", self.name));
        answer.and_then(|answer| asked.answered(answer)).map_err(told)
    }

    fn closed(&self) -> Error {
        Error::unavailable(format!("plugin \"{}\" was closed", self.name))
    }
}

/// The manifest, without what the ABI has no functions for; or what is wrong with it.
fn manifest_in(answer: ElizaosAnswer) -> std::result::Result<JsonObject, String> {
    let ElizaosAnswer::Text(Some(text)) = answer else { return Err(format!("{MANIFEST} returned null")) };
    let manifest = json_of(MANIFEST, &text).map_err(|error| error.message().to_owned())?;
    let Json::Object(mut manifest) = manifest else {
        return Err(format!("{MANIFEST} returned no manifest: it is no object"));
    };
    let error = manifest.get("error").filter(|error| !error.is_null()).map(|error| match error {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    });
    let name = manifest.get("name").and_then(Json::as_str).unwrap_or_default();
    if name.is_empty() {
        let why = error.unwrap_or_else(|| "it has no name".to_owned());
        return Err(format!("{MANIFEST} returned no manifest: {why}"));
    }
    manifest.remove("services");
    manifest.remove("routes");
    Ok(manifest)
}
