//! The contract between an agent and its plugins, `anyplug.agent.v1`: what a plugin adds to an agent, what the agent offers to it, and
//! an agent that is small and complete.
//!
//! ```
//! use anyplug_contracts::agent::{Action, ActionResult, AgentPluginDefinition, AgentRuntime, AgentRuntimeOptions, Content, Memory};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> anyplug_core::Result<()> {
//! let weather = AgentPluginDefinition::new("weather").action(Action::new("FORECAST", |invocation| async move {
//!     let city = invocation.agent.get_setting("CITY").await?.unwrap_or_default();
//!     Ok(ActionResult { text: Some(format!("Rain in {city}")), ..ActionResult::success() })
//! }));
//!
//! let agent = AgentRuntime::new(AgentRuntimeOptions::named("Ada").setting("CITY", "Bonn"));
//! agent.register_plugin(weather).await?;
//! let message = Memory::of(Content::text("How is the weather?"));
//! let results = agent.process_actions(&message, &[Memory::of(Content::default().with_action("FORECAST"))]).await;
//! assert_eq!(results[0].result.text.as_deref(), Some("Rain in \"Bonn\""));
//! # Ok(())
//! # }
//! ```

#[expect(
    clippy::module_inception,
    reason = "the agent as plugins see it is in the file that is named so in every language"
)]
mod agent;
mod define;
mod defined;
mod json;
mod local;
mod members;
mod memories;
mod registration;
#[cfg(feature = "routes")]
mod routes;
mod runtime;
mod services;
mod streamed;
mod values;

pub use agent::{Agent, Memories, MemoryQuery, MemorySearch, RegisteringAgent, RemoteMemories, StateQuery};
pub use anyplug_generated::anyplug::agent::v1::{
    ActionDescription, DescribeResponse, EvaluatorDescription, HandleRouteRequest, HttpField, ProviderDescription,
    RouteDescription, ServiceDescription,
};
pub use define::{
    Action, AgentPluginDefinition, AgentService, Evaluator, Invocation, ModelCall, Provider, Question, Route,
    RouteBody, RouteRequest, RouteResponse,
};
pub use defined::agent_plugin;
pub use json::{Json, JsonObject};
pub use local::local_link;
pub use memories::InMemoryMemories;
pub use registration::{Described, InvokeArguments, Owned, Registration, RouteAnswer};
#[cfg(feature = "routes")]
pub use routes::{RouteServer, RouteServerOptions, serve_routes};
pub use runtime::{AgentPlugin, AgentRuntime, AgentRuntimeOptions, NamedResult, OnLog, Process, Register};
pub use services::{AgentBehind, agent_services};
pub use values::{ActionResult, Content, Memory, ProviderResult, State};
