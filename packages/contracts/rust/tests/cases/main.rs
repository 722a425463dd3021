//! The cases of test/agent/cases.json, which the agents of all languages share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod script;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyplug_contracts::agent::{AgentPlugin, AgentRuntime, AgentRuntimeOptions, RouteServerOptions, serve_routes};
use anyplug_core::LogRecord;
use anyplug_host::{Plugin, load_direct, load_plugin};
use script::{Stage, cases};

const CAPABILITIES: [&str; 5] = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

/// Runs each case on an agent of its own; `load` gives the plugin for it, and what must live as long.
async fn run<F>(load: impl Fn(AgentRuntime, OnLog) -> F)
where
    F: Future<Output = (Arc<dyn Fn() -> AgentPlugin + Send + Sync>, Option<Plugin>)>,
{
    for (name, steps) in cases() {
        eprintln!("{name}");
        let records = Arc::new(Mutex::new(Vec::<LogRecord>::new()));
        let kept = records.clone();
        let on_log: OnLog = Arc::new(move |record: &LogRecord| kept.lock().unwrap().push(record.clone()));
        let options = AgentRuntimeOptions::named("Ada").setting("CITY", "Bonn");
        let agent = AgentRuntime::new(AgentRuntimeOptions { on_log: Some(on_log.clone()), ..options });
        let server_options = RouteServerOptions { max_body_bytes: 16, ..RouteServerOptions::default() };
        let server = serve_routes(&agent, server_options).await.unwrap();
        let (weather, loaded) = load(agent.clone(), on_log).await;
        agent.register_plugin(weather()).await.unwrap();
        let stage = Stage { agent, records, server, weather };
        stage.run(&steps).await;
        stage.server.close().await;
        if let Some(loaded) = loaded {
            loaded.close().await.unwrap();
        }
    }
}

type OnLog = Arc<dyn Fn(&LogRecord) + Send + Sync>;

/// Loads the plugin of a language for an agent.
async fn in_process(language: &str, agent: AgentRuntime, on_log: OnLog) -> Plugin {
    let folder = format!("{}/../../../plugins/weather/{language}", env!("CARGO_MANIFEST_DIR"));
    let load = load_plugin(folder)
        .start_timeout(Duration::from_secs(60))
        .transport("process")
        .on_log(move |record| on_log(record));
    let load = agent.services().into_iter().fold(load, |load, service| load.service(service));
    CAPABILITIES.into_iter().fold(load, |load, capability| load.grant(capability)).await.unwrap()
}

fn linked(plugin: Plugin) -> (Arc<dyn Fn() -> AgentPlugin + Send + Sync>, Option<Plugin>) {
    let link = plugin.link().clone();
    (Arc::new(move || AgentPlugin::from(&link)), Some(plugin))
}

#[tokio::test]
async fn a_plugin_of_the_agents_own_program() {
    run(|_, _| async {
        let weather: Arc<dyn Fn() -> AgentPlugin + Send + Sync> = Arc::new(|| anyplug_weather::weather().into());
        (weather, None)
    })
    .await;
}

#[tokio::test]
async fn a_plugin_in_rust_direct() {
    run(|agent, on_log| async move {
        let load = load_direct(anyplug_weather::plugin().unwrap()).on_log(move |record| on_log(record));
        let load = agent.services().into_iter().fold(load, |load, service| load.service(service));
        linked(CAPABILITIES.into_iter().fold(load, |load, capability| load.grant(capability)).await.unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_plugin_in_rust_in_a_process() {
    run(|agent, on_log| async move { linked(in_process("rust", agent, on_log).await) }).await;
}

mod between_languages {
    use super::{in_process, linked, run};

    #[tokio::test]
    async fn a_plugin_in_typescript_in_a_process() {
        run(|agent, on_log| async move { linked(in_process("ts", agent, on_log).await) }).await;
    }

    #[tokio::test]
    async fn a_plugin_in_python_in_a_process() {
        run(|agent, on_log| async move { linked(in_process("python", agent, on_log).await) }).await;
    }
}
