//! A plugin that speaks ElizaOS's line protocol, as a plugin of an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyplug_contracts::agent::{
    Action, Agent, AgentPluginDefinition, AgentService, Evaluator, HttpField, Invocation, Json, JsonObject, Provider,
    Question, Route, RouteBody, RouteRequest, RouteResponse,
};
use anyplug_core::{BoxFuture, Error, Result};
use serde_json::json;

use crate::manifest::description_of;
use crate::values::{provider_from, result_from};

/// The two protocols: messages with a type, and calls with a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `{"type":"action.invoke","id":"1",…}`.
    #[default]
    Messages,
    /// `{"id":1,"method":"invokeAction","params":{…}}`.
    Methods,
}

/// Sends a request of that type with these members, and returns the answer.
pub type Ask = Arc<dyn Fn(Agent, &'static str, JsonObject) -> BoxFuture<Result<JsonObject>> + Send + Sync>;

/// Returns the definition of a plugin with this manifest: what it does is asked over the line.
pub fn driven_plugin(manifest: &JsonObject, ask: &Ask, dialect: Dialect) -> AgentPluginDefinition {
    let description = description_of(manifest);
    let mut definition = AgentPluginDefinition::new(description.name).description(description.description);
    definition.priority = description.priority;
    definition.dependencies = description.dependencies;
    let init = ask.clone();
    let mut definition = definition.init(move |config, agent| {
        let answer = init(agent.into_agent(), "plugin.init", members([("config", config.into())]));
        async move { initialized(&answer.await?) }
    });
    for one in description.actions {
        let (validate, invoke) = (ask.clone(), ask.clone());
        let (asked, invoked) = (one.name.clone(), one.name.clone());
        let mut action = Action::new(&one.name, move |call: Invocation| {
            let answer = asking(&invoke, "action.invoke", "action", &invoked, call);
            async move { result_from(answer.await?.get("result")) }
        });
        action = action.validate(move |question: Question| {
            let answer = questioning(&validate, "action.validate", "action", &asked, question);
            async move { Ok(answer.await?.get("valid") == Some(&Json::Bool(true))) }
        });
        action.description = one.description;
        action.similes = one.similes;
        action.examples = parsed(&one.examples_json).and_then(|examples| examples.as_array().cloned());
        action.priority = one.priority;
        action.tags = one.tags;
        action.parameters = parsed(&one.parameters_json).and_then(|parameters| parameters.as_object().cloned());
        definition = definition.action(action);
    }
    for one in description.providers {
        let (get, name) = (ask.clone(), one.name.clone());
        let mut provider = Provider::new(&one.name, move |question: Question| {
            let answer = questioning(&get, "provider.get", "provider", &name, question);
            async move { provider_from(answer.await?.get("result")) }
        });
        provider.description = one.description;
        provider.dynamic = one.dynamic;
        provider.position = one.position;
        provider.private = one.private;
        definition = definition.provider(provider);
    }
    for one in description.evaluators {
        let (validate, invoke) = (ask.clone(), ask.clone());
        let (asked, invoked) = (one.name.clone(), one.name.clone());
        let mut evaluator = Evaluator::new(&one.name, move |call: Invocation| {
            let answer = asking(&invoke, "evaluator.invoke", "evaluator", &invoked, call);
            async move { result_from(answer.await?.get("result")) }
        });
        // Of the two protocols only that of methods asks an evaluator first.
        if dialect == Dialect::Methods {
            evaluator = evaluator.validate(move |question: Question| {
                let answer = questioning(&validate, "evaluator.validate", "evaluator", &asked, question);
                async move { Ok(answer.await?.get("valid") == Some(&Json::Bool(true))) }
            });
        }
        evaluator.description = one.description;
        evaluator.similes = one.similes;
        evaluator.always_run = one.always_run;
        evaluator.examples = parsed(&one.examples_json).and_then(|examples| examples.as_array().cloned());
        definition = definition.evaluator(evaluator);
    }
    for one in description.services {
        // Peers read one of the two spellings.
        let about = members([("service", one.r#type.clone().into()), ("serviceType", one.r#type.clone().into())]);
        let lead = |message_type: &'static str| {
            let (ask, about) = (ask.clone(), about.clone());
            move |agent: Agent| {
                let answer = ask(agent, message_type, about.clone());
                async move { succeeded(&answer.await?) }
            }
        };
        let service = AgentService::new(one.r#type.clone(), lead("service.start"), lead("service.stop"));
        definition = definition.service(service.description(one.description));
    }
    for one in description.routes {
        let handle = ask.clone();
        let mut route = Route::new(one.method, one.path, move |request: RouteRequest, agent: Agent| {
            let answer = handle(agent, "route.handle", route_members(request));
            async move { Ok(answer_from(&answer.await?)) }
        });
        route.name = one.name;
        route.public = one.public;
        route.multipart = one.multipart;
        definition = definition.route(route);
    }
    definition
}

fn members<const N: usize>(members: [(&str, Json); N]) -> JsonObject {
    members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect()
}

fn parsed(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

fn questioning(
    ask: &Ask,
    message_type: &'static str,
    key: &str,
    name: &str,
    question: Question,
) -> BoxFuture<Result<JsonObject>> {
    let Question { message, state, agent } = question;
    let about = [(key, name.into()), ("memory", message.into_json().into()), ("state", state.into_json().into())];
    ask(agent, message_type, members(about))
}

fn asking(
    ask: &Ask,
    message_type: &'static str,
    key: &str,
    name: &str,
    call: Invocation,
) -> BoxFuture<Result<JsonObject>> {
    let Invocation { message, state, options, agent, .. } = call;
    let about = [
        (key, name.into()),
        ("memory", message.into_json().into()),
        ("state", state.into_json().into()),
        ("options", options.into()),
    ];
    ask(agent, message_type, members(about))
}

fn reason(answer: &JsonObject) -> String {
    answer.get("error").and_then(Json::as_str).unwrap_or("no reason was given").to_owned()
}

fn initialized(answer: &JsonObject) -> Result<()> {
    if answer.get("success") != Some(&Json::Bool(false)) {
        return Ok(());
    }
    Err(Error::failed_precondition(format!("it refused its configuration: {}", reason(answer))))
}

fn succeeded(answer: &JsonObject) -> Result<()> {
    if answer.get("success") != Some(&Json::Bool(false)) { Ok(()) } else { Err(Error::unknown(reason(answer))) }
}

/// Flat for some peers, in an object for others.
fn route_members(request: RouteRequest) -> JsonObject {
    let RouteRequest { path, method, params, query, headers, body } = request;
    // Of those with one name the last is told.
    let fields = |fields: Vec<HttpField>| -> BTreeMap<String, String> {
        fields.into_iter().map(|field| (field.name, field.value)).collect()
    };
    let mut flat = members([
        ("path", path.into()),
        ("method", method.into()),
        ("params", json!(params)),
        ("query", json!(fields(query))),
        ("headers", json!(fields(headers))),
        ("body", body_from(&body)),
    ]);
    flat.insert("request".to_owned(), flat.clone().into());
    flat
}

/// JSON where it is JSON, else text; null for nothing.
pub(crate) fn body_from(body: &[u8]) -> Json {
    if body.is_empty() {
        return Json::Null;
    }
    let text = String::from_utf8_lossy(body);
    parsed(&text).unwrap_or_else(|| text.into())
}

fn answer_from(answer: &JsonObject) -> RouteResponse {
    // `route.result` has it inside, `route.response` is it.
    let inner = answer.get("result").and_then(Json::as_object).unwrap_or(answer);
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = inner.get("headers").and_then(Json::as_object);
    RouteResponse {
        status: inner.get("status").and_then(Json::as_u64).and_then(|status| status.try_into().ok()),
        headers: headers
            .map(|all| all.iter().map(|(name, value)| HttpField { name: name.clone(), value: text(value) }).collect())
            .unwrap_or_default(),
        body: match inner.get("body") {
            None | Some(Json::Null) => RouteBody::default(),
            Some(Json::String(text)) => RouteBody::Text(text.clone()),
            Some(value) => RouteBody::Json(value.clone()),
        },
    }
}
