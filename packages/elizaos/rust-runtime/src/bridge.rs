//! A plugin of ours in a runtime of ElizaOS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyplug_contracts::agent::{Content, JsonObject, Registration, agent_services};
use anyplug_core::{CallOptions, Error, Implementation, Link, Result};
use elizaos::AgentRuntime;
use elizaos::types::plugin::{HttpMethod, Plugin, RouteDefinition};
use tokio::sync::mpsc::channel;

use crate::behind::BehindElizaos;
use crate::handlers::{Action, Asked, Evaluator, Provider, Service};
use crate::values::as_text;

/// Takes what a plugin says on the way, with the name of the action: actions of ElizaOS's Rust runtime have no callback of their own.
pub type OnContent = Arc<dyn Fn(Content, &str) + Send + Sync>;

/// Registers plugins of ours with a runtime of ElizaOS.
#[derive(Clone)]
pub struct ElizaosBridge {
    runtime: Arc<AgentRuntime>,
    options: CallOptions,
    on_content: OnContent,
}

impl ElizaosBridge {
    /// A bridge to this runtime. A plugin may take 30 s for one answer; a model has no limit.
    pub fn new(runtime: &Arc<AgentRuntime>) -> Self {
        let options = CallOptions::new().with_timeout(Duration::from_secs(30));
        Self { runtime: runtime.clone(), options, on_content: Arc::new(|_, _| {}) }
    }

    /// Sets how long a plugin may take for one answer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = CallOptions::new().with_timeout(timeout);
        self
    }

    /// Sets what takes the contents that actions say on the way.
    #[must_use]
    pub fn on_content(mut self, on_content: impl Fn(Content, &str) + Send + Sync + 'static) -> Self {
        self.on_content = Arc::new(on_content);
        self
    }

    /// What plugins may call: give it to the load of each.
    pub fn services(&self) -> Vec<Implementation> {
        agent_services(Arc::new(BehindElizaos(Arc::downgrade(&self.runtime))))
    }

    /// Asks the plugin what it has, initializes it, starts its services, and registers all of it.
    ///
    /// Events are not: a runtime in Rust emits events of its own types alone, and does not wait for them.
    ///
    /// # Errors
    /// As calls of the plugin fail, and its own error when it refuses its configuration.
    pub async fn register_plugin(&self, plugin: &Arc<dyn Link>, config: JsonObject) -> Result<()> {
        let plugin = Arc::new(Registration::of_link(plugin, self.options.clone()).await?);
        let asked =
            Asked { plugin: plugin.clone(), options: self.options.clone(), on_content: self.on_content.clone() };
        let own = plugin.description();
        let name = self.runtime.character.read().await.name.clone();
        plugin.init(self.runtime.agent_id.as_str(), &name, config, self.options.clone()).await?;
        let mut theirs =
            Plugin::new(&own.name, &own.description).with_routes(own.routes.iter().filter_map(route).collect());
        theirs.definition.priority = Some(own.priority);
        theirs.definition.dependencies = (!own.dependencies.is_empty()).then(|| own.dependencies.clone());
        for one in &own.actions {
            theirs = theirs.with_action(Arc::new(Action(asked.clone(), one.clone())));
        }
        for one in &own.providers {
            theirs = theirs.with_provider(Arc::new(Provider(asked.clone(), one.clone())));
        }
        for one in &own.evaluators {
            theirs = theirs.with_evaluator(Arc::new(Evaluator(asked.clone(), one.clone())));
        }
        for model in &own.models {
            self.register_model(&asked, model).await;
        }
        self.runtime.register_plugin(theirs).await.map_err(|error| Error::unknown(error.to_string()))?;
        for one in &own.services {
            plugin.start_service(&one.r#type, self.options.clone()).await?;
            let service = Arc::new(Service(asked.clone(), one.r#type.clone()));
            self.runtime.register_service(&one.r#type, service).await;
        }
        Ok(())
    }

    /// A model answers at once, and by its streaming type in pieces.
    async fn register_model(&self, asked: &Asked, model: &str) {
        let (plugin, own) = (asked.plugin.clone(), model.to_owned());
        let at_once = move |params| -> Later<anyhow::Result<String>> {
            let (plugin, own) = (plugin.clone(), own.clone());
            Box::pin(async move { Ok(as_text(plugin.generate(&own, &params, drop, CallOptions::new()).await?)) })
        };
        self.runtime.register_model(model, Box::new(at_once)).await;
        let (plugin, own) = (asked.plugin.clone(), model.to_owned());
        let in_pieces = move |params| -> Later<anyhow::Result<_>> {
            let (plugin, own) = (plugin.clone(), own.clone());
            Box::pin(async move {
                let (sender, receiver) = channel(PIECES);
                let (given, mut pieces) = tokio::sync::mpsc::unbounded_channel();
                let give = move |piece: String| drop(given.send(piece));
                let asking = async move { plugin.generate(&own, &params, give, CallOptions::new()).await };
                tokio::spawn(async move {
                    let passing = async {
                        let mut any = false;
                        while let Some(piece) = pieces.recv().await {
                            any = true;
                            if sender.send(Ok(piece)).await.is_err() {
                                break;
                            }
                        }
                        any
                    };
                    match tokio::join!(asking, passing) {
                        (Ok(whole), false) => drop(sender.send(Ok(as_text(whole))).await),
                        (Err(error), _) => drop(sender.send(Err(error.into())).await),
                        _ => {}
                    }
                });
                Ok(receiver)
            })
        };
        let streaming = if model.ends_with("_STREAM") { model.to_owned() } else { format!("{model}_STREAM") };
        self.runtime.register_streaming_model(&streaming, Box::new(in_pieces)).await;
    }
}

type Later<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// Pieces of text that may wait for their reader.
const PIECES: usize = 64;

fn route(one: &anyplug_contracts::agent::RouteDescription) -> Option<RouteDefinition> {
    let method: HttpMethod = serde_json::from_value(one.method.clone().into()).ok()?;
    Some(RouteDefinition {
        method,
        path: one.path.clone(),
        file_path: None,
        public: Some(one.public),
        name: (!one.name.is_empty()).then(|| one.name.clone()),
        is_multipart: Some(one.multipart),
    })
}

impl fmt::Debug for ElizaosBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElizaosBridge").finish_non_exhaustive()
    }
}
