//! A plugin of an agent, served by the line protocols.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use anyplug_contracts::agent::{
    Action, ActionResult, AgentPluginDefinition, AgentRuntime, AgentService, Content, Evaluator, Memory, Provider,
    ProviderResult, Route, RouteResponse, local_link,
};
use anyplug_core::Error;
use anyplug_elizaos::{LinePeer, LineServer, PeerOptions, ServeOptions};
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
    let mut served = served().await;
    served.answers.recv().await.unwrap();
    let hello = json!({ "content": { "text": "hello" } });
    let text_of_five = json!({ "content": { "text": 5 } });
    let table = [
        (
            json!({ "type": "plugin.init", "config": { "key": "k" } }),
            json!({ "type": "plugin.init.result", "success": true }),
        ),
        (
            json!({ "type": "plugin.init", "config": { "key": "" } }),
            json!({ "type": "plugin.init.result", "success": false, "error": "key: expected text, got nothing" }),
        ),
        (
            json!({ "type": "action.validate", "action": "HELLO", "memory": hello, "state": null }),
            json!({ "type": "validate.result", "valid": true }),
        ),
        (
            json!({ "type": "action.validate", "action": "FLY", "memory": {} }),
            json!({ "type": "validate.result", "valid": false }),
        ),
        (
            json!({ "type": "action.invoke", "action": "HELLO", "memory": { "who": "you", "content": {} }, "options": { "n": 1 } }),
            json!({ "type": "action.result", "result": { "success": true, "text": "Hello, you", "data": { "options": { "n": 1 } } } }),
        ),
        (
            json!({ "type": "action.invoke", "action": "BREAK", "memory": {} }),
            json!({ "type": "action.result", "result": { "success": false, "error": "broken" } }),
        ),
        (
            json!({ "type": "action.invoke", "action": "FLY", "memory": {} }),
            json!({ "type": "action.result", "result": { "success": false, "error": "Action not found: FLY" } }),
        ),
        (
            json!({ "type": "provider.get", "provider": "TIME", "memory": {}, "state": { "text": "before" } }),
            json!({ "type": "provider.result", "result": { "text": "noon", "values": { "was": "before" }, "data": null } }),
        ),
        (
            json!({ "type": "provider.get", "provider": "MOON", "memory": {}, "state": {} }),
            json!({ "type": "provider.result", "result": { "text": null, "values": null, "data": null } }),
        ),
        (
            json!({ "type": "evaluator.invoke", "evaluator": "JUDGE", "memory": {} }),
            json!({ "type": "action.result", "result": { "success": true } }),
        ),
        (
            json!({ "type": "evaluator.invoke", "evaluator": "NOBODY", "memory": {} }),
            json!({ "type": "action.result", "result": null }),
        ),
        (
            json!({ "type": "service.start", "service": "clock" }),
            json!({ "type": "service.response", "success": true }),
        ),
        (json!({ "type": "service.stop", "serviceType": "clock" }), json!({ "success": true })),
        (
            json!({ "type": "service.start", "service": "none" }),
            json!({ "type": "error", "error": "plugin \"served\" has no service \"none\"; it has clock" }),
        ),
        (
            json!({ "type": "route.handle", "path": "/now", "method": "POST", "query": { "q": "1" }, "headers": { "X-H": "2" }, "body": "b" }),
            json!({ "type": "route.response", "status": 201, "body": { "q": "1", "h": "2", "body": "b" } }),
        ),
        (
            json!({ "type": "route.handle", "path": "/now", "request": { "method": "post", "query": {}, "body": { "j": 1 } } }),
            json!({ "status": 201, "result": { "status": 201, "body": { "q": null, "h": null, "body": "{\"j\":1}" } } }),
        ),
        (json!({ "type": "fly" }), json!({ "type": "error", "error": "Unknown request type: fly" })),
        (
            json!({ "type": "action.invoke", "action": "HELLO", "memory": text_of_five }),
            json!({ "type": "error", "error": "memory.content.text: expected text, got 5" }),
        ),
    ];
    for (mut request, mut expected) in table {
        request["id"] = "7".into();
        expected["id"] = "7".into();
        let answer = served.ask(&request.to_string()).await;
        assert!(has(&answer, &expected), "{request}\n{answer}");
    }
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
async fn it_answers_methods_with_results() {
    let mut served = served().await;
    served.answers.recv().await.unwrap();
    let memory = json!({ "who": "you", "content": { "text": "hello" } });
    let table = [
        (
            json!({ "id": 1, "method": "validateAction", "params": { "name": "HELLO", "memory": memory, "state": null } }),
            json!({ "id": 1, "result": true }),
        ),
        (
            json!({ "id": 2, "method": "invokeAction", "params": { "name": "FLY", "memory": memory } }),
            json!({ "id": 2, "result": { "success": false, "error": "Action not found: FLY" } }),
        ),
        (
            json!({ "id": 3, "method": "validateEvaluator", "params": { "name": "JUDGE", "memory": memory } }),
            json!({ "id": 3, "result": false }),
        ),
        (
            json!({ "id": 4, "method": "generateResponse", "params": { "input": "why" } }),
            json!({ "id": 4, "result": "answer to why" }),
        ),
        (json!({ "id": 5, "method": "fly" }), json!({ "id": 5, "error": "Unknown method: fly" })),
    ];
    for (request, expected) in table {
        assert_eq!(served.ask(&request.to_string()).await, expected);
    }
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
