//! An agent in Rust that has one plugin, and does what it reads: a line of JSON on its standard input says which plugin, each after it what is
//! to be done. To each a line of JSON answers. When the input ends it unregisters the plugin and tells what that logged.

use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyplug_contracts::agent::{
    AgentPlugin, AgentPluginDefinition, AgentRuntime, AgentRuntimeOptions, Content, Json, JsonObject, Memory,
};
use anyplug_core::{Error, Result};
use anyplug_host::{Plugin, load_plugin};
use serde_json::json;

const CAPABILITIES: [&str; 5] = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

type Logs = Arc<Mutex<Vec<String>>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines().map_while(std::io::Result::ok).map(|line| parsed(&line));
    let logs = Logs::default();
    let agent = AgentRuntime::new(AgentRuntimeOptions::named("Ada"));
    let host = AgentPluginDefinition::new("host").model("TEXT_SMALL", async |_, _| Ok(json!("la la")));
    agent.register_plugin(host).await?;
    let start = lines.next().ok_or_else(|| Error::invalid_argument("a line has to say which plugin"))??;
    let plugin = load(&agent, &start, &logs).await?;
    let registered =
        agent.register_plugin(AgentPlugin::from(plugin.link())).configured(object(&start["config"])).await?;
    say(&json!({ "plugin": registered.name() }));
    for request in lines {
        match act(&agent, &request?).await {
            Ok(answer) => say(&answer),
            Err(error) => say(&json!({ "error": error.message() })),
        }
    }
    agent.unregister_plugin(registered.name()).await;
    say(&json!({ "logs": *logs.lock().unwrap_or_else(PoisonError::into_inner) }));
    plugin.close().await
}

async fn load(agent: &AgentRuntime, start: &Json, logs: &Logs) -> Result<Plugin> {
    let logs = logs.clone();
    let mut load = load_plugin(text(&start["folder"])).start_timeout(Duration::from_secs(60)).on_log(move |record| {
        logs.lock().unwrap_or_else(PoisonError::into_inner).push(record.message.clone());
    });
    if let Some(python) = start["python"].as_str() {
        load = load.python(python);
    }
    for (name, value) in object(&start["env"]) {
        load = load.env(name, text(&value));
    }
    let load = agent.services().into_iter().fold(load, |load, service| load.service(service));
    CAPABILITIES.into_iter().fold(load, |load, capability| load.grant(capability)).await
}

async fn act(agent: &AgentRuntime, request: &Json) -> Result<Json> {
    if let Some(model) = request["model"].as_str() {
        let mut pieces = Vec::new();
        let answer = agent.use_model(model, &request["params"], |piece| pieces.push(piece)).await?;
        return Ok(json!({ "answer": answer, "pieces": pieces }));
    }
    if let Some(event) = request["event"].as_str() {
        agent.emit_event(event, &request["payload"]).await;
        return Ok(json!({}));
    }
    let message = &request["message"];
    let content = Content { data: Some(object(&message["data"])), ..Content::text(text(&message["text"])) };
    let responses = [Memory::of(Content::default().with_action(text(&request["action"])))];
    let mut said = Vec::new();
    let message = Memory::of(content);
    let results = agent
        .process_actions(&message, &responses)
        .options(object(&request["options"]))
        .on_content(|content, _| said.extend(content.text))
        .await;
    let found = results.into_iter().next().ok_or_else(|| Error::internal("no action ran"))?.result;
    let result = json!({ "success": found.success, "text": found.text, "error": found.error, "data": found.data });
    Ok(json!({ "result": result, "said": said }))
}

fn parsed(line: &str) -> Result<Json> {
    serde_json::from_str(line).map_err(|error| Error::invalid_argument(format!("a line is no JSON: {error}")))
}

fn object(value: &Json) -> JsonObject {
    value.as_object().cloned().unwrap_or_default()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

fn say(answer: &Json) {
    let mut out = std::io::stdout().lock();
    // Who does not listen any more has ended the input, too.
    let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
}
