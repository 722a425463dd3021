//! Serves to an agent what a plugin's author defined.

use anyplug_core::{Context, Error, Implementation, Result, Sender};
use anyplug_generated::anyplug::agent::v1 as wire;

use super::agent::{Agent, RegisteringAgent};
use super::define::{
    Action, AgentPluginDefinition, AgentService, Evaluator, Invocation, ModelCall, Provider, Question, Route,
    RouteBody, RouteRequest, RouteResponse, giving,
};
use super::json::{parse_json, parse_object, print_list, print_object};
use super::streamed::streamed;
use super::values::{content_message, memories_of, memory_of, provider_message, result_message, state_of};

/// Returns what serves the plugin to an agent: give it to the SDK's `Plugin` as a service.
///
/// # Errors
/// INVALID_ARGUMENT when a name comes twice.
pub fn agent_plugin(definition: AgentPluginDefinition) -> Result<Implementation> {
    once("action", definition.actions.iter().map(|action| action.name.clone()))?;
    once("provider", definition.providers.iter().map(|provider| provider.name.clone()))?;
    once("evaluator", definition.evaluators.iter().map(|evaluator| evaluator.name.clone()))?;
    once("service", definition.services.iter().map(|service| service.service_type.clone()))?;
    once("route", definition.routes.iter().map(route_key))?;
    once("model", definition.models.iter().map(|(model, _)| model.clone()))?;
    Ok(wire::AgentPlugin::implement(Defined(definition)))
}

fn once(what: &str, names: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(Error::invalid_argument(format!("{what} \"{name}\" is defined twice")));
        }
    }
    Ok(())
}

fn route_key(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

struct Defined(AgentPluginDefinition);

impl Defined {
    fn find<'a, T>(&self, what: &str, among: &'a [T], key: impl Fn(&T) -> String, name: &str) -> Result<&'a T> {
        if let Some(found) = among.iter().find(|one| key(one) == name) {
            return Ok(found);
        }
        let names: Vec<_> = among.iter().map(key).collect();
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        Err(Error::not_found(format!("plugin \"{}\" has no {what} \"{name}\"; {known}", self.0.name)))
    }

    fn action(&self, name: &str) -> Result<&Action> {
        self.find("action", &self.0.actions, |action| action.name.clone(), name)
    }

    fn evaluator(&self, name: &str) -> Result<&Evaluator> {
        self.find("evaluator", &self.0.evaluators, |evaluator| evaluator.name.clone(), name)
    }

    fn service(&self, name: &str) -> Result<&AgentService> {
        self.find("service", &self.0.services, |service| service.service_type.clone(), name)
    }
}

fn question(message: Option<wire::Memory>, state: Option<wire::State>, context: Context) -> Result<Question> {
    Ok(Question { message: memory_of(message)?, state: state_of(state)?, agent: Agent::new(context) })
}

impl wire::AgentPluginHandler for Defined {
    async fn describe(&self, _: wire::DescribeRequest, _: Context) -> Result<wire::DescribeResponse> {
        let definition = &self.0;
        Ok(wire::DescribeResponse {
            name: definition.name.clone(),
            description: definition.description.clone(),
            priority: definition.priority,
            dependencies: definition.dependencies.clone(),
            actions: definition.actions.iter().map(describe_action).collect(),
            providers: definition.providers.iter().map(describe_provider).collect(),
            evaluators: definition.evaluators.iter().map(describe_evaluator).collect(),
            services: definition.services.iter().map(describe_service).collect(),
            routes: definition.routes.iter().map(describe_route).collect(),
            events: definition.events.iter().map(|(event_type, _)| event_type.clone()).collect(),
            models: definition.models.iter().map(|(model, _)| model.clone()).collect(),
        })
    }

    async fn init(&self, request: wire::InitRequest, context: Context) -> Result<wire::InitResponse> {
        if let Some(init) = &self.0.init {
            let config = parse_object(&request.config_json, "config_json")?.unwrap_or_default();
            init(config, RegisteringAgent::new(Agent::new(context), request.agent_id, request.agent_name)).await?;
        }
        Ok(wire::InitResponse {})
    }

    async fn validate_action(
        &self,
        request: wire::ValidateActionRequest,
        context: Context,
    ) -> Result<wire::ValidateActionResponse> {
        let valid = match &self.action(&request.name)?.validate {
            None => true,
            Some(validate) => validate(question(request.message, request.state, context)?).await?,
        };
        Ok(wire::ValidateActionResponse { valid })
    }

    async fn invoke_action(
        &self,
        request: wire::InvokeActionRequest,
        responses: Sender<wire::InvokeActionResponse>,
        context: Context,
    ) -> Result<()> {
        use wire::invoke_action_response::Event;
        let handler = self.action(&request.name)?.handler.clone();
        let Question { message, state, agent } = question(request.message, request.state, context)?;
        let options = parse_object(&request.options_json, "options_json")?.unwrap_or_default();
        let before = memories_of(request.responses)?;
        let response = |event| wire::InvokeActionResponse { event: Some(event) };
        streamed(responses, |give| {
            let say = giving(give, move |content| response(Event::Content(content_message(content))));
            let running = handler(Invocation { message, state, options, responses: before, agent, say });
            async move { Ok(response(Event::Result(result_message(running.await?)))) }
        })
        .await
    }

    async fn get_provider(
        &self,
        request: wire::GetProviderRequest,
        context: Context,
    ) -> Result<wire::GetProviderResponse> {
        let key = |provider: &Provider| provider.name.clone();
        let provider = self.find("provider", &self.0.providers, key, &request.name)?;
        let result = (provider.get)(question(request.message, request.state, context)?).await?;
        Ok(wire::GetProviderResponse { result: Some(provider_message(result)) })
    }

    async fn validate_evaluator(
        &self,
        request: wire::ValidateEvaluatorRequest,
        context: Context,
    ) -> Result<wire::ValidateEvaluatorResponse> {
        let valid = match &self.evaluator(&request.name)?.validate {
            None => true,
            Some(validate) => validate(question(request.message, request.state, context)?).await?,
        };
        Ok(wire::ValidateEvaluatorResponse { valid })
    }

    async fn invoke_evaluator(
        &self,
        request: wire::InvokeEvaluatorRequest,
        responses: Sender<wire::InvokeEvaluatorResponse>,
        context: Context,
    ) -> Result<()> {
        use wire::invoke_evaluator_response::Event;
        let handler = self.evaluator(&request.name)?.handler.clone();
        let Question { message, state, agent } = question(request.message, request.state, context)?;
        let options = parse_object(&request.options_json, "options_json")?.unwrap_or_default();
        let before = memories_of(request.responses)?;
        let response = |event| wire::InvokeEvaluatorResponse { event: Some(event) };
        streamed(responses, |give| {
            let say = giving(give, move |content| response(Event::Content(content_message(content))));
            let running = handler(Invocation { message, state, options, responses: before, agent, say });
            async move { Ok(response(Event::Result(result_message(running.await?)))) }
        })
        .await
    }

    async fn start_service(
        &self,
        request: wire::StartServiceRequest,
        context: Context,
    ) -> Result<wire::StartServiceResponse> {
        (self.service(&request.r#type)?.start)(Agent::new(context)).await?;
        Ok(wire::StartServiceResponse {})
    }

    async fn stop_service(
        &self,
        request: wire::StopServiceRequest,
        context: Context,
    ) -> Result<wire::StopServiceResponse> {
        (self.service(&request.r#type)?.stop)(Agent::new(context)).await?;
        Ok(wire::StopServiceResponse {})
    }

    async fn handle_route(
        &self,
        request: wire::HandleRouteRequest,
        context: Context,
    ) -> Result<wire::HandleRouteResponse> {
        let wire::HandleRouteRequest { path, method, params, query, headers, body } = request;
        let route = self.find("route", &self.0.routes, route_key, &format!("{method} {path}"))?;
        let request = RouteRequest { path, method, params, query, headers, body };
        Ok(route_message((route.handler)(request, Agent::new(context)).await?))
    }

    async fn handle_event(
        &self,
        request: wire::HandleEventRequest,
        context: Context,
    ) -> Result<wire::HandleEventResponse> {
        let payload = parse_json(&request.payload_json, "payload_json")?.unwrap_or_default();
        let (_, handlers) = self.find("event", &self.0.events, |(name, _)| name.clone(), &request.r#type)?;
        for handler in handlers {
            handler(payload.clone(), Agent::new(context.clone())).await?;
        }
        Ok(wire::HandleEventResponse {})
    }

    async fn generate(
        &self,
        request: wire::GenerateRequest,
        responses: Sender<wire::GenerateResponse>,
        context: Context,
    ) -> Result<()> {
        use wire::generate_response::Event;
        let (_, handler) = self.find("model", &self.0.models, |(name, _)| name.clone(), &request.model)?;
        let params = parse_json(&request.params_json, "params_json")?.unwrap_or_default();
        let response = |event| wire::GenerateResponse { event: Some(event) };
        streamed(responses, |give| {
            let give = giving(give, move |text| response(Event::Text(text)));
            let running = handler(params, ModelCall { agent: Agent::new(context), give });
            async move { Ok(response(Event::ResultJson(running.await?.to_string()))) }
        })
        .await
    }
}

fn describe_action(action: &Action) -> wire::ActionDescription {
    wire::ActionDescription {
        name: action.name.clone(),
        description: action.description.clone(),
        similes: action.similes.clone(),
        examples_json: print_list(action.examples.clone()),
        priority: action.priority,
        tags: action.tags.clone(),
        parameters_json: print_object(action.parameters.clone()),
    }
}

fn describe_provider(provider: &Provider) -> wire::ProviderDescription {
    wire::ProviderDescription {
        name: provider.name.clone(),
        description: provider.description.clone(),
        dynamic: provider.dynamic,
        position: provider.position,
        private: provider.private,
    }
}

fn describe_evaluator(evaluator: &Evaluator) -> wire::EvaluatorDescription {
    wire::EvaluatorDescription {
        name: evaluator.name.clone(),
        description: evaluator.description.clone(),
        similes: evaluator.similes.clone(),
        always_run: evaluator.always_run,
        examples_json: print_list(evaluator.examples.clone()),
    }
}

fn describe_service(service: &AgentService) -> wire::ServiceDescription {
    wire::ServiceDescription { r#type: service.service_type.clone(), description: service.description.clone() }
}

fn describe_route(route: &Route) -> wire::RouteDescription {
    wire::RouteDescription {
        path: route.path.clone(),
        method: route.method.clone(),
        name: route.name.clone(),
        public: route.public,
        multipart: route.multipart,
    }
}

fn route_message(answer: RouteResponse) -> wire::HandleRouteResponse {
    let RouteResponse { status, mut headers, body } = answer;
    let body = match body {
        RouteBody::Bytes(bytes) => bytes,
        RouteBody::Text(text) => text.into_bytes(),
        RouteBody::Json(value) => {
            if !headers.iter().any(|field| field.name.eq_ignore_ascii_case("content-type")) {
                headers.push(wire::HttpField { name: "content-type".into(), value: "application/json".into() });
            }
            value.to_string().into_bytes()
        }
    };
    wire::HandleRouteResponse { status: status.unwrap_or(0), headers, body }
}
