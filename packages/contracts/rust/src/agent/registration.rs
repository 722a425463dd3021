//! A plugin that an agent has registered: what it has, and typed calls of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyplug_core::{CallOptions, Caller, Client, Error, Link, Result, ServiceDescriptor};
use anyplug_generated::anyplug::agent::v1 as wire;
use wire::{ActionDescription, EvaluatorDescription, ProviderDescription, ServiceDescription};
use wire::{generate_response, invoke_action_response, invoke_evaluator_response};

use super::agent::without_result;
use super::json::{Json, JsonObject, parse_json, print_object};
use super::values::{
    ActionResult, Content, Memory, ProviderResult, State, content_of, memory_message, provider_result_of, result_of,
    state_message,
};

/// What an action or an evaluator is invoked with.
#[derive(Clone, Debug, Default)]
pub struct InvokeArguments {
    /// The message that it is about.
    pub message: Memory,
    /// What the agent knows.
    pub state: State,
    /// Free options.
    pub options: Option<JsonObject>,
    /// What was answered before, oldest first.
    pub responses: Vec<Memory>,
}

/// What one of the plugins has, and which.
#[derive(Clone, Debug)]
pub struct Owned<T> {
    /// The plugin.
    pub plugin: Arc<Registration>,
    /// What it has.
    pub description: T,
}

/// A kind of what plugins have, by its description.
pub trait Described: Clone + Send + Sync + 'static {
    /// All of this kind that a plugin has.
    fn of(description: &wire::DescribeResponse) -> &[Self];
    /// Its name; that of a service is its type.
    fn name(&self) -> &str;
}

macro_rules! described {
    ($($type:ty, $all:ident, $name:ident;)*) => {
        $(impl Described for $type {
            fn of(description: &wire::DescribeResponse) -> &[Self] {
                &description.$all
            }

            fn name(&self) -> &str {
                &self.$name
            }
        })*
    };
}

described! {
    ActionDescription, actions, name;
    ProviderDescription, providers, name;
    EvaluatorDescription, evaluators, name;
    ServiceDescription, services, r#type;
}

/// What a route answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAnswer {
    /// The HTTP status.
    pub status: u32,
    /// The headers, in their order.
    pub headers: Vec<wire::HttpField>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

/// How to call what a link leads to.
struct Peer<'a>(&'a Arc<dyn Link>);

impl Caller for Peer<'_> {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        Client::new(self.0.clone(), service)
    }
}

/// A registered plugin. Its calls fail as calls do.
pub struct Registration {
    description: wire::DescribeResponse,
    client: wire::AgentPluginClient,
    running: Mutex<Vec<String>>,
}

impl Registration {
    /// Asks the plugin what it has.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn of(peer: &(impl Caller + ?Sized), options: CallOptions) -> Result<Self> {
        let client = wire::AgentPluginClient::new(peer);
        let description = client.describe(wire::DescribeRequest {}).options(options).await?;
        Ok(Self { description, client, running: Mutex::default() })
    }

    /// As [`Registration::of`], of the plugin that a link leads to.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn of_link(link: &Arc<dyn Link>, options: CallOptions) -> Result<Self> {
        Self::of(&Peer(link), options).await
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// What it says that it has.
    pub fn description(&self) -> &wire::DescribeResponse {
        &self.description
    }

    /// The types of its services that run, in the order in which they were started.
    pub fn running(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// Initializes it for an agent.
    ///
    /// # Errors
    /// The plugin's own when it refuses.
    pub async fn init(&self, agent_id: &str, agent_name: &str, config: JsonObject, options: CallOptions) -> Result<()> {
        let config_json = print_object(Some(config));
        let request =
            wire::InitRequest { agent_id: agent_id.to_owned(), agent_name: agent_name.to_owned(), config_json };
        self.client.init(request).options(options).await.map(drop)
    }

    /// Whether the action makes sense for the message.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn validate_action(
        &self,
        name: &str,
        message: &Memory,
        state: &State,
        options: CallOptions,
    ) -> Result<bool> {
        let (name, message, state) = question(name, message, state);
        let request = wire::ValidateActionRequest { name, message, state };
        Ok(self.client.validate_action(request).options(options).await?.valid)
    }

    /// Runs the action; `on_content` takes what is said on the way.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn invoke_action(
        &self,
        name: &str,
        arguments: InvokeArguments,
        mut on_content: impl FnMut(Content) + Send,
        options: CallOptions,
    ) -> Result<ActionResult> {
        let InvokeArguments { message, state, options: given, responses } = arguments;
        let (name, message, state) = question(name, &message, &state);
        let what = format!("action {name}");
        let responses = responses.into_iter().map(memory_message).collect();
        let request = wire::InvokeActionRequest { name, message, state, options_json: print_object(given), responses };
        let mut events = self.client.invoke_action(request).options(options).await?;
        while let Some(response) = events.message().await? {
            match response.event {
                Some(invoke_action_response::Event::Content(content)) => on_content(content_of(Some(content))?),
                Some(invoke_action_response::Event::Result(result)) => return result_of(result),
                None => {}
            }
        }
        Err(without_result(&what))
    }

    /// What the provider knows.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn get_provider(
        &self,
        name: &str,
        message: &Memory,
        state: &State,
        options: CallOptions,
    ) -> Result<ProviderResult> {
        let (name, message, state) = question(name, message, state);
        let request = wire::GetProviderRequest { name, message, state };
        provider_result_of(self.client.get_provider(request).options(options).await?.result)
    }

    /// Whether the evaluator wants to look at the message.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn validate_evaluator(
        &self,
        name: &str,
        message: &Memory,
        state: &State,
        options: CallOptions,
    ) -> Result<bool> {
        let (name, message, state) = question(name, message, state);
        let request = wire::ValidateEvaluatorRequest { name, message, state };
        Ok(self.client.validate_evaluator(request).options(options).await?.valid)
    }

    /// Runs the evaluator; `on_content` takes what is said on the way.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn invoke_evaluator(
        &self,
        name: &str,
        arguments: InvokeArguments,
        mut on_content: impl FnMut(Content) + Send,
        options: CallOptions,
    ) -> Result<ActionResult> {
        let InvokeArguments { message, state, options: given, responses } = arguments;
        let (name, message, state) = question(name, &message, &state);
        let what = format!("evaluator {name}");
        let responses = responses.into_iter().map(memory_message).collect();
        let request =
            wire::InvokeEvaluatorRequest { name, message, state, options_json: print_object(given), responses };
        let mut events = self.client.invoke_evaluator(request).options(options).await?;
        while let Some(response) = events.message().await? {
            match response.event {
                Some(invoke_evaluator_response::Event::Content(content)) => on_content(content_of(Some(content))?),
                Some(invoke_evaluator_response::Event::Result(result)) => return result_of(result),
                None => {}
            }
        }
        Err(without_result(&what))
    }

    /// Starts a service.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn start_service(&self, service_type: &str, options: CallOptions) -> Result<()> {
        let request = wire::StartServiceRequest { r#type: service_type.to_owned() };
        self.client.start_service(request).options(options).await?;
        let mut running = self.lock();
        running.retain(|other| other != service_type);
        running.push(service_type.to_owned());
        Ok(())
    }

    /// Stops a service.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn stop_service(&self, service_type: &str, options: CallOptions) -> Result<()> {
        self.lock().retain(|other| other != service_type);
        let request = wire::StopServiceRequest { r#type: service_type.to_owned() };
        self.client.stop_service(request).options(options).await.map(drop)
    }

    /// Asks a route.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn handle_route(&self, request: wire::HandleRouteRequest, options: CallOptions) -> Result<RouteAnswer> {
        let answer = self.client.handle_route(request).options(options).await?;
        let status = if answer.status == 0 { 200 } else { answer.status };
        Ok(RouteAnswer { status, headers: answer.headers, body: answer.body })
    }

    /// Gives it an event.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn handle_event(&self, event_type: &str, payload: &Json, options: CallOptions) -> Result<()> {
        let request = wire::HandleEventRequest { r#type: event_type.to_owned(), payload_json: payload.to_string() };
        self.client.handle_event(request).options(options).await.map(drop)
    }

    /// Runs a model; `on_text` takes the pieces as they come.
    ///
    /// # Errors
    /// As calls fail.
    pub async fn generate(
        &self,
        model: &str,
        params: &Json,
        mut on_text: impl FnMut(String) + Send,
        options: CallOptions,
    ) -> Result<Json> {
        let request = wire::GenerateRequest { model: model.to_owned(), params_json: params.to_string() };
        let mut events = self.client.generate(request).options(options).await?;
        while let Some(response) = events.message().await? {
            match response.event {
                Some(generate_response::Event::Text(text)) => on_text(text),
                Some(generate_response::Event::ResultJson(result)) => {
                    return Ok(parse_json(&result, "result_json")?.unwrap_or_default());
                }
                None => {}
            }
        }
        Err(without_result(&format!("the model {model}")))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("description", &self.description).finish_non_exhaustive()
    }
}

fn question(name: &str, message: &Memory, state: &State) -> (String, Option<wire::Memory>, Option<wire::State>) {
    (name.to_owned(), Some(memory_message(message.clone())), Some(state_message(state.clone())))
}

/// The result that says why there is none.
pub(crate) fn or_failure(result: Result<ActionResult>) -> ActionResult {
    result.unwrap_or_else(|error: Error| ActionResult::failure(error.message()))
}
