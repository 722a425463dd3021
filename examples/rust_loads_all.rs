//! Loads every plugin in every language, and prints what came back.

use std::path::Path;
use std::process::ExitCode;

use anyplug::agent::{AgentPlugin, AgentRuntime, AgentRuntimeOptions, Content, Memory, StateQuery};
use anyplug::{Load, Plugin, Result};
use anyplug_generated::anyplug::test::v1::{EchoRequest, TestClient};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};
use anyplug_generated::inmemorydb::v1::{Entry, InMemoryDbClient, SearchRequest, SetManyRequest};

const PLUGINS: [&str; 4] = ["eliza-classic", "inmemorydb", "weather", "test-plugin"];
const LANGUAGES: [(&str, &str); 3] = [("typescript", "ts"), ("python", "python"), ("rust", "rust")];
const GRANTS: [&str; 5] = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

async fn eliza(plugin: &Plugin) -> Result<String> {
    let request = ReplyRequest { text: "Men are all alike.".into(), ..ReplyRequest::default() };
    Ok(ElizaClient::new(plugin).reply(request).await?.text)
}

async fn in_memory_db(plugin: &Plugin) -> Result<String> {
    let db = InMemoryDbClient::new(plugin);
    let entries = [("east", [1.0, 0.0]), ("north", [0.0, 1.0]), ("north-east", [1.0, 1.0])]
        .map(|(key, vector)| Entry { key: key.into(), vector: vector.into(), ..Entry::default() });
    let request = SetManyRequest { collection: "winds".into(), entries: entries.into() };
    db.set_many(futures_util::stream::iter([request])).await?;
    let request =
        SearchRequest { collection: "winds".into(), vector: vec![0.0, 2.0], top_k: 2, ..SearchRequest::default() };
    let matches = db.search(request).await?.matches;
    let found = matches.into_iter().map(|one| format!("{} {:.3}", one.entry.unwrap_or_default().key, one.score));
    Ok(found.collect::<Vec<_>>().join(", "))
}

/// A plugin for agents: it calls back the agent, which grants that.
async fn weather(plugin: &Plugin, agent: &AgentRuntime) -> Result<String> {
    agent.register_plugin(AgentPlugin::from(plugin.link())).await?;
    let question = Memory::of(Content::text("Where, and when?"));
    let state = agent.compose_state(&question, StateQuery::only(["CITY", "SEASON"])).await?;
    agent.unregister_plugin("weather").await;
    Ok(state.text.replace('\n', " "))
}

async fn echo(plugin: &Plugin) -> Result<String> {
    let request = EchoRequest { text: "hello".into(), ..EchoRequest::default() };
    Ok(TestClient::new(plugin).echo(request).await?.text)
}

/// The plugins in Rust are linked into this program.
fn linked(load: Load, name: &str) -> Result<Load> {
    Ok(match name {
        "eliza-classic" => load.linked(eliza_classic::plugin()),
        "inmemorydb" => load.linked(inmemorydb::plugin()),
        "weather" => load.linked(anyplug_weather::plugin()?),
        _ => load.linked(anyplug_test_plugin::plugin()),
    })
}

/// The transport that was used, and the answer.
async fn ask(name: &str, folder: &str) -> Result<(String, String)> {
    let agent = AgentRuntime::new(AgentRuntimeOptions::default().setting("CITY", "Bonn"));
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("plugins");
    let mut load = anyplug::load_plugin(plugins.join(name).join(folder));
    if folder == "rust" {
        load = linked(load, name)?;
    }
    if name == "weather" {
        load = agent.services().into_iter().fold(load, Load::service);
        load = GRANTS.into_iter().fold(load, Load::grant);
    }
    let plugin = load.await?;
    let answer = match name {
        "eliza-classic" => eliza(&plugin).await?,
        "inmemorydb" => in_memory_db(&plugin).await?,
        "weather" => weather(&plugin, &agent).await?,
        _ => echo(&plugin).await?,
    };
    let transport = plugin.transport().to_owned();
    plugin.close().await?;
    Ok((transport, answer))
}

#[tokio::main]
async fn main() -> ExitCode {
    let cells = PLUGINS.iter().flat_map(|name| LANGUAGES.map(|(language, folder)| (*name, language, folder)));
    let asked = cells.map(|(name, language, folder)| async move { (name, language, ask(name, folder).await) });
    println!("{:15}{:12}{:11}what came back", "plugin", "language", "transport");
    let mut status = ExitCode::SUCCESS;
    for (name, language, answer) in futures_util::future::join_all(asked).await {
        let (transport, answer) = answer.unwrap_or_else(|error| {
            status = ExitCode::FAILURE;
            ("-".to_owned(), error.to_string())
        });
        println!("{name:15}{language:12}{transport:11}{answer}");
    }
    status
}
