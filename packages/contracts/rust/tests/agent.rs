//! An agent, with what the shared cases do not say.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::sync::{Arc, Mutex};

use anyplug_contracts::agent::{
    Action, ActionResult, AgentPluginDefinition, AgentRuntime, AgentRuntimeOptions, Content, Memory, Provider,
    ProviderResult, local_link,
};
use anyplug_core::{Code, Error};
use anyplug_weather::weather;
use serde_json::{Value, json};

fn memory(value: Value) -> Memory {
    Memory::from_json(&value, "memory").unwrap()
}

#[tokio::test]
async fn a_name_that_is_defined_twice_is_refused() {
    let provider = || Provider::new("TIME", |_| async { Ok(ProviderResult::text("noon")) });
    let twice = AgentPluginDefinition::new("clock").provider(provider()).provider(provider());
    let refused = AgentRuntime::default().register_plugin(twice).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "provider \"TIME\" is defined twice"));
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
    let results = agent.process_actions(&message, &[Memory::of(Content::default().with_action("ECHO"))]).await;
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
async fn a_plugin_learns_who_the_agent_is_when_it_is_registered() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let curious = AgentPluginDefinition::new("curious").init(move |_, agent| {
        kept.lock().unwrap().push((agent.id().to_owned(), agent.name().to_owned()));
        async { Ok(()) }
    });
    let agent = AgentRuntime::new(AgentRuntimeOptions::named("Ada"));
    agent.register_plugin(curious).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(agent.id().to_owned(), "Ada".to_owned())]);
}

#[tokio::test]
async fn an_event_goes_to_all_handlers_and_a_failing_one_is_logged_and_harms_no_other() {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = records.clone();
    let options = AgentRuntimeOptions::default().setting("CITY", "Bonn");
    let agent = AgentRuntime::new(options.on_log(move |record| kept.lock().unwrap().push(record.message.clone())));
    agent.register_plugin(weather()).await.unwrap();
    let fragile = AgentPluginDefinition::new("fragile").priority(1);
    let fragile = fragile.event("storm", |_, _| async { Err(Error::unknown("blown away")) });
    agent.register_plugin(fragile).await.unwrap();
    agent.emit_event("storm", &json!({ "force": 9 })).await;
    let mut told = records.lock().unwrap().split_off(2);
    told.sort();
    let failed = "event storm of plugin \"fragile\" failed: blown away";
    assert_eq!(told, [failed, "second", "storm {\"force\":9}"]);
}

#[tokio::test]
async fn a_plugin_that_calls_an_agent_that_is_gone_is_told_so() {
    let services = AgentRuntime::default().services();
    let plugin = AgentPluginDefinition::new("late").provider(Provider::new("CITY", |question| async move {
        question.agent.get_setting("CITY").await.map(|_| ProviderResult::default())
    }));
    let link = local_link(plugin, "gone", services, |_| {}).unwrap();
    let agent = AgentRuntime::default();
    let late = agent.register_plugin(link).await.unwrap();
    let failed =
        late.get_provider("CITY", &Memory::default(), &Default::default(), Default::default()).await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Code::Unavailable, "the agent is gone"));
}
