//! A plugin that has one of everything.

use std::sync::{Arc, Mutex};

use anyplug_contracts::agent::{
    Action, ActionResult, AgentPluginDefinition, AgentService, Content, Evaluator, Json, Memories, Memory, Provider,
    ProviderResult, Route, RouteResponse,
};
use anyplug_core::Error;
use serde_json::json;

/// What happened to the plugin.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// Returns the plugin, and what happened to it.
pub(crate) fn weather() -> (AgentPluginDefinition, Seen) {
    let seen = Seen::default();
    let note = |seen: &Seen| {
        let seen = seen.clone();
        move |what: String| seen.lock().unwrap().push(what)
    };
    let (initialized, started, stopped, stormed, second) =
        (note(&seen), note(&seen), note(&seen), note(&seen), note(&seen));
    let plugin = AgentPluginDefinition::new("weather")
        .description("Knows the weather")
        .init(move |config, agent| {
            let initialized = initialized.clone();
            async move {
                let city = match config.get("city") {
                    Some(Json::String(city)) if city.is_empty() => {
                        return Err(Error::invalid_argument("city: expected a name, got nothing"));
                    }
                    Some(city) => city.clone(),
                    None => agent.get_setting("CITY").await?.unwrap_or_default(),
                };
                initialized(format!("init {}", city.as_str().unwrap_or("undefined")));
                Ok(())
            }
        })
        .action(
            Action::new("FORECAST", |call| async move {
                call.say(Content::text("Let me look."));
                let asked = Memory { room_id: Some("r".into()), ..Memory::of(Content::text("asked")) };
                let id = call.agent.memories().create(asked, "questions").await?;
                call.say(Content::text(format!("It is {}.", text(call.state.values.get("season")))));
                Ok(ActionResult {
                    text: Some(format!("Rain, {}.", text(call.message.content.extra.get("mood")))),
                    values: json!({ "rain": true }).as_object().cloned(),
                    data: json!({ "id": id.len() }).as_object().cloned(),
                    extra: json!({ "confidence": 0.5 }).as_object().cloned().unwrap_or_default(),
                    ..ActionResult::success()
                })
            })
            .description("Tells the weather of tomorrow")
            .simile("PREDICT_WEATHER")
            .validate(|question| async move {
                Ok(question.message.content.text.is_some_and(|text| text.contains("weather")))
            }),
        )
        .action(Action::new("UMBRELLA", |call| async move {
            let success = call.state.values.get("rain") == Some(&Json::Bool(true));
            Ok(ActionResult { success, ..ActionResult::default() })
        }))
        .action(Action::new("BREAK", |_| async { Err::<(), _>(Error::unavailable("the clouds are gone")) }))
        .provider(
            Provider::new("SEASON", |_| async {
                let values = json!({ "season": "autumn" }).as_object().cloned();
                Ok(ProviderResult { values, ..ProviderResult::text("It is autumn.") })
            })
            .position(2),
        )
        .provider(
            Provider::new("CITY", |question| async move {
                let city = question.agent.get_setting("CITY").await?;
                let data = json!({ "lat": 50.7 }).as_object().cloned();
                Ok(ProviderResult { data, ..ProviderResult::text(format!("In {}.", text(city.as_ref()))) })
            })
            .position(1),
        )
        .provider(Provider::new("MOON", |_| async { Ok(ProviderResult::text("Full moon.")) }).dynamic().position(-1))
        .provider(Provider::new("STARS", |_| async { Err(Error::unavailable("cloudy")) }))
        .evaluator(Evaluator::new("LEARN", |call| async move {
            Ok(ActionResult { text: Some(call.responses.len().to_string()), ..ActionResult::success() })
        }))
        .evaluator(
            Evaluator::new("COUNT", |_| async { Ok(()) })
                .always_run()
                .validate(|question| async move { Ok(!question.state.text.is_empty()) }),
        )
        .service(AgentService::new(
            "station",
            move |_| {
                started("start".to_owned());
                async { Ok(()) }
            },
            move |_| {
                stopped("stop".to_owned());
                async { Ok(()) }
            },
        ))
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
            Ok(RouteResponse::text(format!("map {}", request.params["*"])))
        }))
        .route(Route::new("GET", "/refuse", |_, _| async { Err(Error::permission_denied("not for you")) }))
        .event("storm", move |payload, _| {
            stormed(format!("storm {payload}"));
            async { Ok(()) }
        })
        .event("storm", move |_, _| {
            second("second".to_owned());
            async { Ok(()) }
        })
        .model("TEXT_SMALL", |params, call| async move {
            for word in ["a ", "b "] {
                call.give(word);
            }
            Ok(format!("a b {params}").into())
        });
    (plugin, seen)
}

/// As a template shows it.
fn text(value: Option<&Json>) -> &str {
    value.and_then(Json::as_str).unwrap_or("undefined")
}
