//! A plugin that has one of everything that agents know. What happens to it, it tells to the agent's log.

use anyplug_contracts::agent::{
    Action, ActionResult, AgentPluginDefinition, AgentService, Content, Evaluator, Invocation, Json, JsonObject,
    Memories, Memory, Provider, ProviderResult, Route, RouteResponse, StateQuery, agent_plugin,
};
use anyplug_core::{Error, LogLevel, Result};
use anyplug_sdk::Plugin;
use serde_json::json;

/// The plugin, to be loaded.
///
/// # Errors
/// None, unless a name is defined twice.
pub fn plugin() -> Result<Plugin> {
    Ok(Plugin::new("weather", "0.1.0").service(agent_plugin(weather())?))
}

/// What the plugin adds to an agent.
pub fn weather() -> AgentPluginDefinition {
    let plugin = AgentPluginDefinition::new("weather")
        .description("Knows the weather")
        .init(|config, agent| async move {
            let city = match config.get("city") {
                Some(Json::String(city)) if city.is_empty() => {
                    return Err(Error::invalid_argument("city: expected a name, got nothing"));
                }
                Some(city) => Some(city.clone()),
                None => agent.get_setting("CITY").await?,
            };
            agent.log(LogLevel::Info, format!("init {}", text(city.as_ref())));
            Ok(())
        })
        .service(AgentService::new(
            "station",
            |agent| async move {
                agent.log(LogLevel::Info, "start");
                Ok(())
            },
            |agent| async move {
                agent.log(LogLevel::Info, "stop");
                Ok(())
            },
        ))
        .event("storm", |payload, agent| async move {
            agent.log(LogLevel::Info, format!("storm {payload}"));
            Ok(())
        })
        .event("storm", |_, agent| async move {
            agent.log(LogLevel::Info, "second");
            Ok(())
        })
        .event("gust", |payload, agent| async move {
            agent.log(LogLevel::Info, "gust");
            agent.emit_event("gust", &payload).await
        })
        .model("TEXT_SMALL", |params, call| async move {
            for word in ["a ", "b "] {
                call.give(word);
            }
            Ok(format!("a b {params}").into())
        });
    with_routes(with_providers(with_actions(plugin)))
}

fn with_actions(plugin: AgentPluginDefinition) -> AgentPluginDefinition {
    let about_weather = |text: Option<String>| text.is_some_and(|text| text.contains("weather"));
    plugin
        .action(
            Action::new("FORECAST", forecast)
                .description("Tells the weather of tomorrow")
                .simile("PREDICT_WEATHER")
                .validate(move |question| async move { Ok(about_weather(question.message.content.text)) }),
        )
        .action(Action::new("UMBRELLA", |call| async move {
            let success = call.state.values.get("rain") == Some(&Json::Bool(true));
            Ok(ActionResult { success, ..ActionResult::default() })
        }))
        .action(Action::new("BREAK", |_| async { Err::<(), _>(Error::unavailable("the clouds are gone")) }))
        .action(Action::new("SING", sing).validate(|_| async { Ok(false) }))
        .action(Action::new("ECHO", echo).validate(|_| async { Ok(false) }))
        .evaluator(Evaluator::new("LEARN", |call| async move {
            Ok(ActionResult { text: Some(call.responses.len().to_string()), ..ActionResult::success() })
        }))
        .evaluator(
            Evaluator::new("COUNT", |_| async { Ok(()) })
                .always_run()
                .validate(|question| async move { Ok(!question.state.text.is_empty()) }),
        )
}

async fn forecast(call: Invocation) -> Result<ActionResult> {
    call.say(Content::text("Let me look."));
    let asked = Memory { room_id: Some("r".into()), ..Memory::of(Content::text("asked")) };
    let id = call.agent.memories().create(asked, "questions").await?;
    call.say(Content::text(format!("It is {}.", text(call.state.values.get("season")))));
    Ok(ActionResult {
        text: Some(format!("Rain, {}.", text(call.message.content.extra.get("mood")))),
        values: Some(object(json!({ "rain": true }))),
        data: Some(object(json!({ "id": id.len() }))),
        extra: object(json!({ "confidence": 0.5 })),
        ..ActionResult::success()
    })
}

async fn sing(call: Invocation) -> Result<ActionResult> {
    let piece = |piece: String| call.say(Content::text(piece));
    let sung = call.agent.use_model("TEXT_SMALL", call.options.clone().into(), piece).await?;
    Ok(ActionResult { text: Some(text(Some(&sung)).to_owned()), ..ActionResult::success() })
}

async fn echo(call: Invocation) -> Result<ActionResult> {
    let Invocation { message, options, responses, agent, .. } = call;
    let state = agent.compose_state(&message, StateQuery::only(["CITY"])).await?;
    let responses: Vec<_> = responses.into_iter().map(Memory::into_json).collect();
    let data = json!({
        "message": message.into_json(), "options": options, "responses": responses, "state": state.into_json()
    });
    Ok(ActionResult { data: Some(object(data)), ..ActionResult::success() })
}

fn with_providers(plugin: AgentPluginDefinition) -> AgentPluginDefinition {
    plugin
        .provider(
            Provider::new("SEASON", |_| async {
                let values = Some(object(json!({ "season": "autumn" })));
                Ok(ProviderResult { values, ..ProviderResult::text("It is autumn.") })
            })
            .position(2),
        )
        .provider(
            Provider::new("CITY", |question| async move {
                let city = question.agent.get_setting("CITY").await?;
                let data = Some(object(json!({ "lat": 50.7 })));
                Ok(ProviderResult { data, ..ProviderResult::text(format!("In {}.", text(city.as_ref()))) })
            })
            .position(1),
        )
        .provider(Provider::new("DIARY", |_| async { Ok(ProviderResult::text("Dear diary.")) }).private())
        .provider(Provider::new("MOON", |_| async { Ok(ProviderResult::text("Full moon.")) }).dynamic().position(-1))
        .provider(Provider::new("STARS", |_| async { Err(Error::unavailable("cloudy")) }))
}

fn with_routes(plugin: AgentPluginDefinition) -> AgentPluginDefinition {
    plugin
        .route(Route::new("POST", "/city/:name", |request, _| async move {
            let body = json!({
                "city": request.params.get("name"),
                "q": request.query("q"),
                "text": String::from_utf8_lossy(&request.body),
            });
            let kind = request.header("x-kind").unwrap_or_default();
            Ok(RouteResponse::json(body).status(201).header("x-kind", kind))
        }))
        .route(Route::new("STATIC", "/maps", |request, _| async move {
            let below = request.params.get("*").map(String::as_str).unwrap_or_default();
            Ok(RouteResponse::text(format!("map {below}")))
        }))
        .route(Route::new("GET", "/refuse", |_, _| async { Err(Error::permission_denied("not for you")) }))
}

/// As a template of JavaScript shows it.
fn text(value: Option<&Json>) -> &str {
    value.and_then(Json::as_str).unwrap_or("undefined")
}

fn object(value: Json) -> JsonObject {
    match value {
        Json::Object(object) => object,
        _ => JsonObject::new(),
    }
}
