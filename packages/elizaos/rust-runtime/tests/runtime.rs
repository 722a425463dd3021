//! A plugin of ours in the published runtime of ElizaOS for Rust.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Result, bail};
use anyplug_elizaos_runtime::ElizaosBridge;
use anyplug_host::load_plugin;
use async_trait::async_trait;
use elizaos::runtime::{DatabaseAdapter, RuntimeOptions};
use elizaos::types::database::{GetMemoriesParams, SearchMemoriesParams};
use elizaos::types::settings::SettingValue;
use elizaos::{Agent, AgentRuntime, Entity, Memory, Room, Task, UUID, World, parse_character};
use serde_json::json;

const CAPABILITIES: [&str; 5] = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

#[tokio::test(flavor = "multi_thread")]
async fn a_loaded_plugin_does_in_elizaos_what_it_does_with_ours() {
    let kept = Arc::new(Kept::default());
    let character = parse_character(r#"{"name": "Ada", "bio": "tests"}"#).unwrap();
    let options = RuntimeOptions { character: Some(character), adapter: Some(kept.clone()), ..Default::default() };
    let runtime = AgentRuntime::new(options).await.unwrap();
    runtime.set_setting("CITY", SettingValue::String("Bonn".to_owned()), false).await;

    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let bridge = ElizaosBridge::new(&runtime)
        .on_content(move |content, action| heard.lock().unwrap().push((action.to_owned(), content.text.unwrap())));
    let logs = Arc::new(Mutex::new(Vec::new()));
    let logged = logs.clone();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../plugins/weather/rust");
    let load = load_plugin(folder).on_log(move |record| logged.lock().unwrap().push(record.message.clone()));
    let load = bridge.services().into_iter().fold(load, |load, service| load.service(service));
    let load = CAPABILITIES.into_iter().fold(load, |load, capability| load.grant(capability));
    let plugin = load.start_timeout(std::time::Duration::from_secs(60)).await.unwrap();
    bridge.register_plugin(plugin.link(), Default::default()).await.unwrap();
    assert_eq!(*logs.lock().unwrap(), ["init Bonn", "start"]);

    let mut message = Memory::message(UUID::new_v4(), UUID::new_v4(), "How is the weather?");
    message.content.extra.insert("mood".to_owned(), json!("grey"));
    let asked = ["SEASON".to_owned(), "CITY".to_owned()];
    let state = runtime.compose_state_filtered(&message, Some(&asked), true).await.unwrap();
    assert_eq!(state.text, "It is autumn.\nIn Bonn.");

    let chosen = ["FORECAST", "BREAK"].map(str::to_owned);
    let results = runtime.process_selected_actions(&message, &state, &chosen, &HashMap::new()).await.unwrap();
    assert_eq!((results[0].success, results[0].text.as_deref()), (true, Some("Rain, grey.")));
    assert_eq!(results[0].values.as_ref().unwrap()["rain"], json!(true));
    assert_eq!((results[1].success, results[1].error.as_deref()), (false, Some("UNAVAILABLE: the clouds are gone")));
    let forecast = |text: &str| ("FORECAST".to_owned(), text.to_owned());
    assert_eq!(*said.lock().unwrap(), [forecast("Let me look."), forecast("It is autumn.")]);
    let (remembered, table) = kept.0.lock().unwrap()[0].clone();
    assert_eq!((remembered.content.text.as_deref(), table.as_str()), (Some("asked"), "questions"));

    assert!(runtime.use_model("TEXT_SMALL", json!({ "n": 1 })).await.unwrap().starts_with("a b "));
    let mut pieces = runtime.use_model_stream("TEXT_SMALL_STREAM", json!({ "n": 1 })).await.unwrap();
    let mut given = Vec::new();
    while let Some(piece) = pieces.recv().await {
        given.push(piece.unwrap());
    }
    assert_eq!(given, ["a ", "b "]);
    runtime.get_service("station").await.unwrap().stop().await.unwrap();
    assert_eq!(logs.lock().unwrap().last().unwrap(), "stop");
    plugin.close().await.unwrap();
}

/// A database that keeps what is created.
#[derive(Default)]
struct Kept(Mutex<Vec<(Memory, String)>>);

#[async_trait]
impl DatabaseAdapter for Kept {
    async fn create_memory(&self, memory: &Memory, table: &str) -> Result<UUID> {
        self.0.lock().unwrap().push((memory.clone(), table.to_owned()));
        Ok(UUID::new_v4())
    }
    async fn init(&self) -> Result<()> {
        Ok(())
    }
    async fn close(&self) -> Result<()> {
        Ok(())
    }
    async fn is_ready(&self) -> Result<bool> {
        Ok(true)
    }
    async fn get_agent(&self, _: &UUID) -> Result<Option<Agent>> {
        Ok(None)
    }
    async fn create_agent(&self, _: &Agent) -> Result<bool> {
        bail!("not asked here")
    }
    async fn update_agent(&self, _: &UUID, _: &Agent) -> Result<bool> {
        bail!("not asked here")
    }
    async fn delete_agent(&self, _: &UUID) -> Result<bool> {
        bail!("not asked here")
    }
    async fn get_memories(&self, _: GetMemoriesParams) -> Result<Vec<Memory>> {
        bail!("not asked here")
    }
    async fn search_memories(&self, _: SearchMemoriesParams) -> Result<Vec<Memory>> {
        bail!("not asked here")
    }
    async fn update_memory(&self, _: &Memory) -> Result<bool> {
        bail!("not asked here")
    }
    async fn delete_memory(&self, _: &UUID) -> Result<()> {
        bail!("not asked here")
    }
    async fn get_memory_by_id(&self, _: &UUID) -> Result<Option<Memory>> {
        bail!("not asked here")
    }
    async fn create_world(&self, _: &World) -> Result<UUID> {
        bail!("not asked here")
    }
    async fn get_world(&self, _: &UUID) -> Result<Option<World>> {
        bail!("not asked here")
    }
    async fn create_room(&self, _: &Room) -> Result<UUID> {
        bail!("not asked here")
    }
    async fn get_room(&self, _: &UUID) -> Result<Option<Room>> {
        bail!("not asked here")
    }
    async fn create_entity(&self, _: &Entity) -> Result<bool> {
        bail!("not asked here")
    }
    async fn get_entity(&self, _: &UUID) -> Result<Option<Entity>> {
        bail!("not asked here")
    }
    async fn add_participant(&self, _: &UUID, _: &UUID) -> Result<bool> {
        bail!("not asked here")
    }
    async fn create_task(&self, _: &Task) -> Result<UUID> {
        bail!("not asked here")
    }
    async fn get_task(&self, _: &UUID) -> Result<Option<Task>> {
        bail!("not asked here")
    }
    async fn update_task(&self, _: &UUID, _: &Task) -> Result<()> {
        bail!("not asked here")
    }
    async fn delete_task(&self, _: &UUID) -> Result<()> {
        bail!("not asked here")
    }
}
