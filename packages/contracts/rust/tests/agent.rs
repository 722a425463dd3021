//! An agent and its plugins.

mod weather;

use std::sync::{Arc, Mutex};

use anyplug_contracts::agent::{
    Action, ActionDescription, ActionResult, AgentPluginDefinition, AgentRuntime, AgentRuntimeOptions, Content,
    InMemoryMemories, Memories, Memory, MemoryQuery, MemorySearch, Provider, ProviderResult, StateQuery,
};
use anyplug_core::{Code, Error, LogLevel};
use serde_json::{Value, json};
use weather::{Seen, weather};

type Records = Arc<Mutex<Vec<(LogLevel, String)>>>;

fn logged() -> (AgentRuntimeOptions, Records) {
    let records = Records::default();
    let kept = records.clone();
    let options = AgentRuntimeOptions::named("Ada").setting("CITY", "Bonn");
    let options = options.on_log(move |record| kept.lock().unwrap().push((record.level, record.message.clone())));
    (options, records)
}

async fn registered() -> (AgentRuntime, Seen, Records) {
    let (options, records) = logged();
    let agent = AgentRuntime::new(options);
    let (plugin, seen) = weather();
    agent.register_plugin(plugin).await.unwrap();
    (agent, seen, records)
}

fn question() -> Memory {
    memory(json!({ "content": { "text": "How is the weather?", "mood": "grey" } }))
}

fn memory(value: Value) -> Memory {
    Memory::from_json(&value, "memory").unwrap()
}

fn chosen<const N: usize>(names: [&str; N]) -> Memory {
    Memory::of(names.into_iter().fold(Content::default(), Content::with_action))
}

fn messages(records: &Records) -> Vec<String> {
    records.lock().unwrap().iter().map(|(_, message)| message.clone()).collect()
}

#[tokio::test]
async fn a_plugin_is_initialized_its_services_run_and_end_when_it_is_unregistered() {
    let (agent, seen, _) = registered().await;
    assert_eq!(agent.plugins(), ["weather"]);
    assert_eq!(*seen.lock().unwrap(), ["init Bonn", "start"]);
    assert!(agent.unregister_plugin("weather").await);
    assert_eq!(*seen.lock().unwrap(), ["init Bonn", "start", "stop"]);
    assert!(agent.list::<ActionDescription>().is_empty());
    assert!(!agent.unregister_plugin("weather").await);
}

#[tokio::test]
async fn a_plugin_that_refuses_its_configuration_is_not_registered() {
    let agent = AgentRuntime::default();
    let refused = agent.register_plugin(weather().0).config("city", "").await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "city: expected a name, got nothing"));
    assert!(agent.plugins().is_empty());
}

#[tokio::test]
async fn a_plugin_comes_once_and_after_those_that_it_depends_on() {
    let (agent, ..) = registered().await;
    let again = agent.register_plugin(weather().0).await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let sailing = AgentPluginDefinition::new("sailing").depends_on("weather").depends_on("sea").priority(1);
    let early = agent.register_plugin(sailing.clone()).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    assert_eq!(early.message(), "plugin \"sailing\" depends on sea, not registered; register that first");
    agent.register_plugin(AgentPluginDefinition::new("sea")).await.unwrap();
    agent.register_plugin(sailing).await.unwrap();
    assert_eq!(agent.plugins(), ["sailing", "weather", "sea"]);
}

#[tokio::test]
async fn an_action_with_the_name_of_anothers_is_used_second_and_that_is_logged() {
    let (agent, _, records) = registered().await;
    let other = AgentPluginDefinition::new("other").action(Action::new("FORECAST", |_| async { Ok(()) }));
    agent.register_plugin(other).await.unwrap();
    assert_eq!(agent.list::<ActionDescription>()[0].plugin.name(), "weather");
    let [message] = messages(&records).try_into().unwrap();
    assert!(message.contains("\"weather\" and \"other\" both have FORECAST"), "{message}");
}

#[tokio::test]
async fn a_name_that_is_defined_twice_is_refused() {
    let provider = || Provider::new("TIME", |_| async { Ok(ProviderResult::text("noon")) });
    let twice = AgentPluginDefinition::new("clock").provider(provider()).provider(provider());
    let refused = AgentRuntime::default().register_plugin(twice).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "provider \"TIME\" is defined twice"));
}

#[tokio::test]
async fn the_state_has_what_providers_say_by_position_and_one_that_fails_is_left_out_and_logged() {
    let (agent, _, records) = registered().await;
    let state = agent.compose_state(&question(), StateQuery::default()).await.unwrap();
    assert_eq!(state.text, "In Bonn.\nIt is autumn.");
    assert_eq!(Value::Object(state.values), json!({ "season": "autumn" }));
    assert_eq!(state.data["providers"]["CITY"]["data"], json!({ "lat": 50.7 }));
    assert_eq!(state.data["providers"]["STARS"], json!({}));
    let message = "provider STARS of plugin \"weather\" failed: cloudy".to_owned();
    assert_eq!(*records.lock().unwrap(), [(LogLevel::Error, message)]);
}

#[tokio::test]
async fn the_state_has_dynamic_providers_when_they_are_named() {
    let (agent, ..) = registered().await;
    let text = async |query| agent.compose_state(&question(), query).await.map(|state| state.text);
    assert_eq!(text(StateQuery::including(["MOON"])).await.unwrap(), "Full moon.\nIn Bonn.\nIt is autumn.");
    assert_eq!(text(StateQuery::only(["MOON"])).await.unwrap(), "Full moon.");
    let missing = text(StateQuery::including(["SUN"])).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert_eq!(missing.message(), "there is no provider \"SUN\"; there are: SEASON, CITY, MOON, STARS");
}

#[tokio::test]
async fn the_actions_that_make_sense_are_those_that_say_so() {
    let (agent, ..) = registered().await;
    let names = async |text: &str| {
        let message = Memory::of(Content::text(text));
        let valid = agent.valid_actions(&message, &Default::default()).await;
        valid.into_iter().map(|action| action.description.name).collect::<Vec<_>>()
    };
    assert_eq!(names("the weather").await, ["FORECAST", "UMBRELLA", "BREAK"]);
    assert_eq!(names("the news").await, ["UMBRELLA", "BREAK"]);
}

#[tokio::test]
async fn actions_run_one_after_the_other_and_later_ones_see_what_earlier_ones_returned() {
    let (agent, ..) = registered().await;
    let mut said = Vec::new();
    let responses = [chosen(["predict_weather", "Umbrella"]), chosen(["BREAK", "FLY"])];
    let results = agent
        .process_actions(&question(), &responses)
        .on_content(|content, name| said.push(format!("{name}: {}", content.text.unwrap_or_default())))
        .await;
    assert_eq!(said, ["FORECAST: Let me look.", "FORECAST: It is autumn."]);
    let told = results.into_iter().map(|one| (one.name, Value::Object(one.result.into_json()))).collect::<Vec<_>>();
    let forecast = json!({
        "success": true, "text": "Rain, grey.", "values": { "rain": true }, "data": { "id": 36 }, "confidence": 0.5
    });
    assert_eq!(
        told,
        [
            ("FORECAST".to_owned(), forecast),
            ("UMBRELLA".to_owned(), json!({ "success": true })),
            ("BREAK".to_owned(), json!({ "success": false, "error": "the clouds are gone" })),
            ("FLY".to_owned(), json!({ "success": false, "error": "Action not found: FLY" })),
        ]
    );
    let query = MemoryQuery { table: "questions".into(), ..MemoryQuery::default() };
    let asked = agent.memories().list(query).await.unwrap();
    assert_eq!(asked.iter().map(|memory| memory.content.text.as_deref()).collect::<Vec<_>>(), [Some("asked")]);
}

#[tokio::test]
async fn what_an_action_is_given_comes_back_with_all_members_and_numbers_as_they_were_written() {
    let agent = AgentRuntime::default();
    let echo = AgentPluginDefinition::new("echo").action(Action::new("ECHO", |call| async move {
        let data = [("memory".to_owned(), Value::Object(call.message.into_json()))].into_iter().collect();
        Ok(ActionResult { data: Some(data), ..ActionResult::success() })
    }));
    agent.register_plugin(echo).await.unwrap();
    let written = r#"{"content":{"big":123456789012345678901234567890,"inReplyTo":"m0","precise":0.10,"text":"日本 👋"},"createdAt":1700000000123,"embedding":[0.5],"favourite":[1,null],"metadata":{"n":1e+2}}"#;
    let message = memory(serde_json::from_str(written).unwrap());
    let results = agent.process_actions(&message, &[chosen(["ECHO"])]).await;
    assert_eq!(results[0].result.data.as_ref().unwrap()["memory"].to_string(), written);
}

#[test]
fn a_member_that_is_not_of_its_kind_is_named() {
    let wrong = |value: Value| Memory::from_json(&value, "memory").unwrap_err().message().to_owned();
    assert_eq!(wrong(json!({ "content": { "text": 5 } })), "memory.content.text: expected text, got 5");
    assert_eq!(wrong(json!({ "embedding": [1, "a"] })), "memory.embedding: expected a list of numbers, got [1,\"a\"]");
    assert_eq!(wrong(json!([])), "memory: expected an object, got []");
}

#[tokio::test]
async fn evaluators_look_at_what_was_answered_and_some_always() {
    let (agent, ..) = registered().await;
    let answered = agent.run_evaluators(&question(), &[Memory::of(Content::text("Rain."))]).await;
    let told = answered.into_iter().map(|one| (one.name, Value::Object(one.result.into_json()))).collect::<Vec<_>>();
    let learn = ("LEARN".to_owned(), json!({ "success": true, "text": "1" }));
    assert_eq!(told, [learn, ("COUNT".to_owned(), json!({ "success": true }))]);
    let silent = agent.run_evaluators(&question(), &[]).await;
    assert_eq!(silent.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["COUNT"]);
}

#[tokio::test]
async fn an_event_goes_to_all_handlers_and_a_failing_one_is_logged_and_harms_no_other() {
    let (agent, seen, records) = registered().await;
    let fragile = AgentPluginDefinition::new("fragile").priority(1);
    let fragile = fragile.event("storm", |_, _| async { Err(Error::unknown("blown away")) });
    agent.register_plugin(fragile).await.unwrap();
    agent.emit_event("storm", &json!({ "force": 9 })).await;
    assert_eq!(seen.lock().unwrap()[2..], ["storm {\"force\":9}", "second"]);
    assert_eq!(messages(&records).last().unwrap(), "event storm of plugin \"fragile\" failed: blown away");
}

#[tokio::test]
async fn events_that_plugins_cause_in_each_other_come_to_an_end() {
    let (options, records) = logged();
    let agent = AgentRuntime::new(options);
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let echo = AgentPluginDefinition::new("echo").event("ping", move |payload, caller| {
        *counted.lock().unwrap() += 1;
        async move { caller.emit_event("ping", &payload).await }
    });
    agent.register_plugin(echo).await.unwrap();
    agent.emit_event("ping", &Value::Null).await;
    assert!(*count.lock().unwrap() > 1);
    assert!(messages(&records).last().unwrap().contains("event ping"));
}

#[tokio::test]
async fn a_model_streams_its_text_and_returns_it_and_plugins_use_the_models_of_others() {
    let (agent, ..) = registered().await;
    let mut pieces = Vec::new();
    let answer = agent.use_model("TEXT_SMALL", &json!({ "n": 1 }), |text| pieces.push(text)).await.unwrap();
    assert_eq!((answer, &*pieces), (json!("a b {\"n\":1}"), &["a ".to_owned(), "b ".to_owned()][..]));
    let missing = agent.use_model("IMAGE", &json!({}), drop).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let poet = AgentPluginDefinition::new("poet").action(Action::new("SING", |call| async move {
        let piece = |text: String| call.say(Content::text(text));
        let text = call.agent.use_model("TEXT_SMALL", Value::Null, piece).await?;
        Ok(ActionResult { text: text.as_str().map(str::to_owned), ..ActionResult::success() })
    }));
    agent.register_plugin(poet).await.unwrap();
    let mut said = Vec::new();
    let sung = agent
        .process_actions(&question(), &[chosen(["SING"])])
        .on_content(|content, _| said.extend(content.text))
        .await;
    assert_eq!(said, ["a ", "b "]);
    assert_eq!(sung[0].result.text.as_deref(), Some("a b null"));
}

#[tokio::test]
async fn memories_are_found_by_time_room_and_likeness_changed_and_forgotten() {
    let memories = InMemoryMemories::new();
    let kept = |text: &str, room: &str, at: i64, embedding: [f64; 2]| Memory {
        room_id: Some(room.to_owned()),
        created_at: Some(at),
        embedding: embedding.to_vec(),
        ..Memory::of(Content::text(text))
    };
    let first = memories.create(kept("1", "a", 1, [1.0, 0.0]), "").await.unwrap();
    let second = memories.create(kept("2", "a", 2, [1.0, 1.0]), "").await.unwrap();
    memories.create(kept("3", "b", 3, [0.0, 1.0]), "").await.unwrap();
    let texts = |found: Vec<Memory>| found.into_iter().filter_map(|memory| memory.content.text).collect::<Vec<_>>();
    assert_eq!(texts(memories.list(MemoryQuery::default()).await.unwrap()), ["3", "2", "1"]);
    let early = MemoryQuery { room_id: "a".into(), end: Some(1), ..MemoryQuery::default() };
    assert_eq!(texts(memories.list(early).await.unwrap()), ["1"]);
    let near = MemorySearch { embedding: vec![1.0, 0.0], threshold: Some(0.5), ..MemorySearch::default() };
    assert_eq!(texts(memories.search(near).await.unwrap()), ["1", "2"]);
    let changed = Memory { id: Some(second.clone()), ..Memory::of(Content::text("two")) };
    memories.update(changed).await.unwrap();
    memories.delete(&first).await.unwrap();
    memories.delete(&first).await.unwrap();
    let five = MemoryQuery { count: 5, ..MemoryQuery::default() };
    assert_eq!(texts(memories.list(five).await.unwrap()), ["3", "two"]);
    assert_eq!(memories.get(&first).await.unwrap_err().code(), Code::NotFound);
    let taken = Memory { id: Some(second), ..Memory::default() };
    assert_eq!(memories.create(taken, "").await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_plugin_that_calls_an_agent_that_is_gone_is_told_so() {
    let services = AgentRuntime::default().services();
    let plugin = AgentPluginDefinition::new("late").provider(Provider::new("CITY", |question| async move {
        question.agent.get_setting("CITY").await.map(|_| ProviderResult::default())
    }));
    let link = anyplug_contracts::agent::local_link(plugin, "gone", services, |_| {}).unwrap();
    let agent = AgentRuntime::default();
    let late = agent.register_plugin(link).await.unwrap();
    let failed = late.get_provider("CITY", &question(), &Default::default(), Default::default()).await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Unavailable, "the agent is gone"));
}
