//! The steps of a case, on an agent.

use std::sync::{Arc, Mutex};

use anyplug_contracts::agent::{
    Action, ActionDescription, AgentPlugin, AgentPluginDefinition, AgentRuntime, Memory, MemoryQuery, MemorySearch,
    NamedResult, RouteServer, StateQuery,
};
use anyplug_core::{LogLevel, LogRecord, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The names and steps of all cases.
pub(crate) fn cases() -> Vec<(String, Vec<Value>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test/agent/cases.json");
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    cases.iter().map(|case| (text(&case["name"]), case["steps"].as_array().unwrap().clone())).collect()
}

/// An agent on which steps are run.
pub(crate) struct Stage {
    pub(crate) agent: AgentRuntime,
    pub(crate) records: Arc<Mutex<Vec<LogRecord>>>,
    pub(crate) server: RouteServer,
    pub(crate) weather: Arc<dyn Fn() -> AgentPlugin + Send + Sync>,
}

impl Stage {
    pub(crate) async fn run(&self, steps: &[Value]) {
        for step in steps {
            let result = self.step(step).await;
            match step.get("fails") {
                Some(fails) => {
                    let error = result.expect_err("the step fails");
                    assert_eq!(error.code().name(), fails[0], "{step}");
                    assert!(error.message().contains(fails[1].as_str().unwrap()), "{step}: {error}");
                }
                None => matches(&result.unwrap(), step.get("expect").unwrap_or(&Value::Null), &step["do"].to_string()),
            }
        }
    }

    async fn step(&self, step: &Value) -> Result<Value> {
        let Self { agent, .. } = self;
        Ok(match step["do"].as_str().unwrap() {
            "plugins" => agent.plugins().into(),
            "seen" => self.take(|level| level == LogLevel::Info),
            "warned" => self.take(|level| level > LogLevel::Info),
            "registerWeather" => {
                let config = step["config"].as_object().cloned().unwrap_or_default();
                agent.register_plugin((self.weather)()).configured(config).await?;
                Value::Null
            }
            "register" => {
                agent.register_plugin(defined(&step["plugin"])).await?;
                Value::Null
            }
            "unregister" => agent.unregister_plugin(step["plugin"].as_str().unwrap()).await.into(),
            "list" => {
                assert_eq!(step["kind"], "actions");
                let all = agent.list::<ActionDescription>();
                all.into_iter().map(|one| json!([one.plugin.name(), one.description.name])).collect()
            }
            "compose" => {
                let include = texts(&step["include"]);
                let query = StateQuery { include, only_included: step["onlyIncluded"] == true };
                agent.compose_state(&memory(&step["message"]), query).await?.into_json().into()
            }
            "validActions" => {
                let message = memory(&step["message"]);
                let state = agent.compose_state(&message, StateQuery::default()).await?;
                agent.valid_actions(&message, &state).await.into_iter().map(|one| one.description.name).collect()
            }
            "process" => {
                let mut said = Vec::new();
                let (message, responses) = (memory(&step["message"]), memories(&step["responses"]));
                let mut process = agent.process_actions(&message, &responses);
                if let Some(options) = step["options"].as_object() {
                    process = process.options(options.clone());
                }
                let results = process.on_content(|content, name| said.push(json!([name, content.text]))).await;
                assert_eq!(Value::Array(said), step["said"]);
                named(results)
            }
            "evaluate" => {
                let (message, responses) = (memory(&step["message"]), memories(&step["responses"]));
                named(agent.run_evaluators(&message, &responses).await)
            }
            "emit" => {
                agent.emit_event(step["type"].as_str().unwrap(), &step["payload"]).await;
                Value::Null
            }
            "model" => {
                let mut pieces = Vec::new();
                let model = step["model"].as_str().unwrap();
                let answer = agent.use_model(model, &step["params"], |text| pieces.push(Value::from(text))).await?;
                assert_eq!(Value::Array(pieces), step["pieces"]);
                answer
            }
            "remember" => agent.memories().create(memory(&step["memory"]), &text(&step["table"])).await?.into(),
            "memories" => listed(agent.memories().list(query(&step["query"])).await?),
            "similar" => {
                let embedding = step["embedding"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
                let MemoryQuery { table, room_id, count, .. } = query(&step["query"]);
                let threshold = step["query"]["threshold"].as_f64();
                let search = MemorySearch { embedding, table, room_id, count, threshold };
                listed(agent.memories().search(search).await?)
            }
            "change" => {
                agent.memories().update(memory(&step["memory"])).await?;
                Value::Null
            }
            "forget" => {
                agent.memories().delete(step["id"].as_str().unwrap()).await?;
                Value::Null
            }
            "request" => self.request(step).await,
            other => panic!("there is no step {other}"),
        })
    }

    /// The messages of what was logged at these levels; they are taken away.
    fn take(&self, wanted: impl Fn(LogLevel) -> bool) -> Value {
        let mut records = self.records.lock().unwrap();
        let (taken, rest): (Vec<_>, _) = records.drain(..).partition(|record| wanted(record.level));
        *records = rest;
        taken.into_iter().map(|record| record.message).collect()
    }

    async fn request(&self, step: &Value) -> Value {
        let address = self.server.url().strip_prefix("http://").unwrap();
        let (method, path, body) = (text(&step["method"]), text(&step["path"]), text(&step["body"]));
        let headers = step["headers"].as_object().cloned().unwrap_or_default();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {}\r\n", text(value))).collect();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        let request = format!("{head}content-length: {length}\r\n{headers}\r\n{body}");
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, fields) = head.split_once("\r\n").unwrap();
        let fields = fields.lines().filter_map(|line| line.split_once(": "));
        let headers: Value = fields.map(|(name, value)| (name.to_lowercase(), Value::from(value))).collect();
        json!({ "status": status[9..12].parse::<u16>().unwrap(), "headers": headers, "body": body })
    }
}

fn defined(plugin: &Value) -> AgentPluginDefinition {
    let mut definition = AgentPluginDefinition::new(text(&plugin["name"]));
    definition.dependencies = texts(&plugin["dependencies"]);
    definition.priority = plugin["priority"].as_i64().unwrap_or(0) as i32;
    let actions = texts(&plugin["actions"]).into_iter().map(|name| Action::new(name, |_| async { Ok(()) }));
    actions.fold(definition, AgentPluginDefinition::action)
}

fn query(value: &Value) -> MemoryQuery {
    MemoryQuery {
        table: text(&value["table"]),
        room_id: text(&value["roomId"]),
        entity_id: text(&value["entityId"]),
        count: value["count"].as_u64().unwrap_or(0) as u32,
        start: value["start"].as_i64(),
        end: value["end"].as_i64(),
    }
}

fn memory(value: &Value) -> Memory {
    Memory::from_json(value, "memory").unwrap()
}

fn memories(value: &Value) -> Vec<Memory> {
    value.as_array().unwrap().iter().map(memory).collect()
}

fn listed(memories: Vec<Memory>) -> Value {
    memories.into_iter().map(Memory::into_json).collect()
}

fn named(results: Vec<NamedResult>) -> Value {
    let told = |one: NamedResult| json!({ "name": one.name, "plugin": one.plugin, "result": one.result.into_json() });
    results.into_iter().map(told).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|all| all.iter().map(text).collect()).unwrap_or_default()
}

/// Objects may have more members than is expected, lists may not have more elements.
fn matches(actual: &Value, expected: &Value, place: &str) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (name, member) in expected {
                let found = actual.get(name).unwrap_or_else(|| panic!("{place}.{name} is missing: {actual:?}"));
                matches(found, member, &format!("{place}.{name}"));
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{place}: {actual:?}");
            actual.iter().zip(expected).for_each(|(one, other)| matches(one, other, place));
        }
        (Value::Number(actual), Value::Number(expected)) => assert_eq!(actual.as_f64(), expected.as_f64(), "{place}"),
        (_, Value::Null) => {}
        _ => assert_eq!(actual, expected, "{place}"),
    }
}
