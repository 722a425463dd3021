//! A plugin of an agent, served by the line protocols.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use anyplug_contracts::agent::{
    Action, ActionResult, AgentPluginDefinition, AgentRuntime, AgentService, Content, Evaluator, JsonObject, Memory,
    Provider, ProviderResult, Route, RouteResponse, local_link,
};
use anyplug_core::Error;
use anyplug_elizaos::{LinePeer, LineServer, PeerOptions, ServeOptions, serve_elizaos_on};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

fn definition() -> AgentPluginDefinition {
    AgentPluginDefinition::new("served")
        .description("Serves")
        .init(|config, _| async move {
            match config.get("key").and_then(Value::as_str) {
                Some("") => Err(Error::unknown("key: expected text, got nothing")),
                _ => Ok(()),
            }
        })
        .action(
            Action::new("HELLO", |call| async move {
                let who = call.message.extra.get("who").and_then(Value::as_str).unwrap_or_default();
                let data = json!({ "options": call.options }).as_object().cloned();
                Ok(ActionResult { text: Some(format!("Hello, {who}")), data, ..ActionResult::success() })
            })
            .simile("HI")
            .validate(|question| async move { Ok(question.message.content.text.as_deref() == Some("hello")) }),
        )
        .action(Action::new("BREAK", |_| async { Err::<(), _>(Error::unknown("broken")) }))
        .provider(Provider::new("TIME", |question| async move {
            let values = json!({ "was": question.state.text }).as_object().cloned();
            Ok(ProviderResult { values, ..ProviderResult::text("noon") })
        }))
        .evaluator(Evaluator::new("JUDGE", |_| async { Ok(()) }).validate(|_| async { Ok(false) }))
        .service(AgentService::new("clock", |_| async { Ok(()) }, |_| async { Ok(()) }))
        .route(Route::new("POST", "/now", |request, _| async move {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let q = request.query("q").first().map(|q| (*q).to_owned());
            Ok(RouteResponse::json(json!({ "q": q, "h": request.header("x-h"), "body": body })).status(201))
        }))
        .model("TEXT_LARGE", |params, _| async move {
            Ok(format!("answer to {}", params.as_str().unwrap_or_default()).into())
        })
}

struct Served {
    server: LineServer,
    answers: UnboundedReceiver<Value>,
}

/// Serves the plugin; its first line waits among the answers.
async fn served() -> Served {
    let (sender, answers) = unbounded_channel();
    let write = move |bytes: Vec<u8>| sender.send(serde_json::from_slice(&bytes).unwrap()).unwrap();
    let link = local_link(definition(), "host", AgentRuntime::default().services(), |_| {}).unwrap();
    let server = LineServer::start(&link, ServeOptions::new(write)).await.unwrap();
    Served { server, answers }
}

impl Served {
    async fn ask(&mut self, line: &str) -> Value {
        self.server.data(format!("{line}\n").as_bytes());
        self.answers.recv().await.unwrap()
    }
}

/// Objects may have more members than is expected.
fn has(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            expected.iter().all(|(name, member)| actual.get(name).is_some_and(|found| has(found, member)))
        }
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(one, other)| has(one, other))
        }
        _ => actual == expected,
    }
}

#[tokio::test]
async fn it_says_at_first_what_it_has() {
    let ready = served().await.answers.recv().await.unwrap();
    let expected = json!({
        "type": "ready",
        "manifest": {
            "name": "served",
            "language": "rust",
            "actions": [{ "name": "HELLO", "similes": ["HI"] }, { "name": "BREAK" }],
            "routes": [{ "path": "/now", "method": "POST" }],
        },
    });
    assert!(has(&ready, &expected), "{ready}");
}

#[tokio::test]
async fn it_answers_each_request() {
    for (name, request, answer) in lines() {
        let mut served = served().await;
        served.answers.recv().await.unwrap();
        let mut asked = json!({ "id": "7" });
        asked.as_object_mut().unwrap().extend(request);
        let mut expected = json!({ "id": "7" });
        expected.as_object_mut().unwrap().extend(answer);
        let answered = served.ask(&asked.to_string()).await;
        assert!(has(&answered, &expected), "{name}\n{asked}\n{answered}");
    }
}

/// What each language's server answers.
fn lines() -> Vec<(String, JsonObject, JsonObject)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test/agent/lines.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let object = |value: &Value| value.as_object().unwrap().clone();
    let case = |case: &Value| (case["name"].to_string(), object(&case["request"]), object(&case["answer"]));
    cases.iter().map(case).collect()
}

#[tokio::test]
async fn it_answers_what_is_no_message_with_an_error_of_no_id_and_goes_on() {
    let mut served = served().await;
    served.answers.recv().await.unwrap();
    let parse = served.ask("{oops").await;
    assert!(has(&parse, &json!({ "type": "error", "id": "", "error": "Parse error" })), "{parse}");
    let list = served.ask("[1]").await;
    assert_eq!(list, json!({ "type": "error", "id": "", "error": "Invalid request: expected an object" }));
    let long = served.ask(&"x".repeat((10 << 20) + 1)).await;
    assert_eq!(long, json!({ "type": "error", "id": "", "error": "a line of over 10485760 bytes" }));
    let next = served.ask(r#"{"type":"fly","id":"8"}"#).await;
    assert_eq!(next["id"], "8");
}

#[tokio::test]
async fn it_is_a_program_of_its_own_until_its_input_ends() {
    let (sender, mut answers) = unbounded_channel();
    let write = move |bytes: Vec<u8>| sender.send(serde_json::from_slice::<Value>(&bytes).unwrap()).unwrap();
    let input = std::io::Cursor::new("{\"type\":\"fly\",\"id\":\"1\"}\n{\"id\":2,\"method\":\"fly\"}\n");
    serve_elizaos_on(definition(), input, ServeOptions::new(write)).await.unwrap();
    let mut told = Vec::new();
    while let Some(answer) = answers.recv().await {
        told.push(answer.get("id").or(answer.get("type")).cloned().unwrap());
    }
    told[1..].sort_by_key(Value::to_string);
    assert_eq!(told, [json!("ready"), json!("1"), json!(2)]);
}

#[tokio::test]
async fn what_is_served_can_be_driven_and_comes_through_as_it_was() {
    let (to_server, mut for_server) = unbounded_channel::<Vec<u8>>();
    let peer = LinePeer::new(PeerOptions::new(move |bytes| to_server.send(bytes).unwrap(), |error| panic!("{error}")));
    let link = local_link(definition(), "host", AgentRuntime::default().services(), |_| {}).unwrap();
    let reading = peer.clone();
    // Two bytes at a time: characters and lines come in pieces.
    let write = move |bytes: Vec<u8>| bytes.chunks(2).for_each(|chunk| reading.data(chunk));
    let server = LineServer::start(&link, ServeOptions::new(write)).await.unwrap();
    tokio::spawn(async move {
        while let Some(bytes) = for_server.recv().await {
            server.data(&bytes);
        }
    });
    let agent = AgentRuntime::default();
    agent.register_plugin(peer.plugin().await.unwrap()).await.unwrap();
    let message = Memory::from_json(&json!({ "who": "Ada 👋", "content": { "text": "hello" } }), "memory").unwrap();
    let chosen = Memory::of(Content::default().with_action("HI").with_action("BREAK"));
    let results = agent.process_actions(&message, &[chosen]).await;
    let told: Vec<_> = results.into_iter().map(|one| Value::Object(one.result.into_json())).collect();
    let greeted = json!({ "success": true, "text": "Hello, Ada 👋", "data": { "options": {} } });
    assert_eq!(told, [greeted, json!({ "success": false, "error": "broken" })]);
    assert!(agent.unregister_plugin("served").await);
}
