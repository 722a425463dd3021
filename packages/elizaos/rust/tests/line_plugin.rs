//! Plugins that speak the line protocol, in a process: the program that the tests in TypeScript load as well.

#![allow(clippy::unwrap_used, reason = "a failing test says where by a panic")]

mod between_languages {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use anyplug_contracts::agent::{
        AgentRuntime, AgentRuntimeOptions, Content, HandleRouteRequest, HttpField, Memory, StateQuery,
    };
    use anyplug_core::Code;
    use anyplug_elizaos::{Dialect, LineLoadOptions, load_line_plugin};
    use futures_util::future::join_all;
    use serde_json::{Value, json};

    type Records = Arc<Mutex<Vec<String>>>;

    fn options(mode: &str) -> (LineLoadOptions, Records) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../ts/test/plugin.mjs");
        let records = Records::default();
        let kept = records.clone();
        let mut options = LineLoadOptions::command(["node", program, mode]);
        options.on_log = Some(Arc::new(move |record| kept.lock().unwrap().push(record.message.clone())));
        (options, records)
    }

    fn agent() -> (AgentRuntime, Records) {
        let records = Records::default();
        let kept = records.clone();
        let on_log = move |record: &anyplug_core::LogRecord| kept.lock().unwrap().push(record.message.clone());
        (AgentRuntime::new(AgentRuntimeOptions::default().on_log(on_log)), records)
    }

    fn written() -> Value {
        json!({
            "id": "m1", "entityId": "e1", "roomId": "r1", "createdAt": 1_700_000_000_123_i64,
            "content": { "text": "Grüße, 日本 👋", "inReplyTo": "m0", "mood": { "big": [1, 2.5, null] } },
            "embedding": [0.1, 0.2], "metadata": { "type": "message" }, "favourite": true,
        })
    }

    fn memory() -> Memory {
        Memory::from_json(&written(), "memory").unwrap()
    }

    fn chosen(name: &str) -> [Memory; 1] {
        [Memory::of(Content::default().with_action(name))]
    }

    #[tokio::test]
    async fn it_does_for_an_agent_whatever_a_plugin_does() {
        let (options, printed) = options("plain");
        let loaded = load_line_plugin(options).await.unwrap();
        assert_eq!(*printed.lock().unwrap(), ["Starting up…", "{\"almost\": \"a message\"}"]);
        let (agent, records) = agent();
        agent.register_plugin(loaded.link(&agent).unwrap()).await.unwrap();
        let no = Memory::of(Content::text("no"));
        assert!(agent.valid_actions(&no, &Default::default()).await.is_empty());
        let state = agent.compose_state(&memory(), StateQuery::including(["TIME"])).await.unwrap();
        assert_eq!((state.text.as_str(), &state.values["h"]), ("noon", &json!(12)));
        let results = agent.process_actions(&memory(), &chosen("repeat")).state(state.clone()).await;
        assert_eq!((&*results[0].name, &*results[0].plugin), ("ECHO", "strange"));
        assert_eq!(results[0].result.text.as_deref(), Some("Grüße, 日本 👋"));
        // All members come back, those that no schema knows too.
        let echoed = json!({ "memory": written(), "state": state.into_json(), "options": {} });
        assert_eq!(Value::from(results[0].result.data.clone()), echoed);
        let judged = agent.run_evaluators(&memory(), &[]).await;
        assert_eq!((&*judged[0].name, judged[0].result.success), ("JUDGE", true));
        let query = vec![HttpField { name: "q".into(), value: "1".into() }];
        let request = HandleRouteRequest { path: "/now".into(), method: "GET".into(), query, ..Default::default() };
        let answer = agent.routes()[0].plugin.handle_route(request, Default::default()).await.unwrap();
        assert_eq!((answer.status, &*answer.body), (202, br#"{"seen":{"q":"1"}}"#.as_slice()));
        let failed = agent.process_actions(&memory(), &chosen("FAIL")).await;
        assert_eq!(failed[0].result.error.as_deref(), Some("Something broke ({\"line\":7})"));
        agent.unregister_plugin("strange").await;
        let told = records.lock().unwrap().join("\n");
        assert!(told.contains("service clock of plugin \"strange\" failed: it is stuck"), "{told}");
        loaded.close().await;
    }

    #[tokio::test]
    async fn it_refuses_its_configuration_with_its_own_reason() {
        let loaded = load_line_plugin(options("plain").0).await.unwrap();
        let (agent, _) = agent();
        let refused = agent.register_plugin(loaded.link(&agent).unwrap()).config("refuse", true).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("it refused its configuration: no key"), "{refused}");
    }

    #[tokio::test]
    async fn it_takes_and_gives_10_mb_and_a_longer_message_is_refused_before_it_is_sent() {
        let (options, _) = options("plain");
        let loaded = load_line_plugin(LineLoadOptions { max_message_bytes: 24 << 20, ..options }).await.unwrap();
        let (agent, _) = agent();
        agent.register_plugin(loaded.link(&agent).unwrap()).await.unwrap();
        let echo = async |text: String| {
            let message = Memory::of(Content::text(text));
            agent.process_actions(&message, &chosen("ECHO")).await.remove(0).result
        };
        let large = "ü".repeat(5_000_000);
        assert!(echo(large.clone()).await.text == Some(large));
        let refused = echo("x".repeat(25 << 20)).await.error.unwrap();
        assert!(refused.contains("raise maxMessageBytes"), "{refused}");
        assert_eq!(echo("still there".to_owned()).await.text.as_deref(), Some("still there"));
    }

    #[tokio::test]
    async fn it_answers_a_thousand_requests_in_whatever_order() {
        let loaded = load_line_plugin(options("reversed").0).await.unwrap();
        let (agent, _) = agent();
        agent.register_plugin(loaded.link(&agent).unwrap()).await.unwrap();
        let echo = |index: usize| {
            let agent = agent.clone();
            async move {
                let message = Memory::of(Content::text(format!("text {index}")));
                let results = agent.process_actions(&message, &chosen("ECHO")).state(Default::default()).await;
                results[0].result.text.clone()
            }
        };
        let texts = join_all((0..1000).map(echo)).await;
        let expected: Vec<_> = (0..1000).map(|index| Some(format!("text {index}"))).collect();
        assert_eq!(texts, expected);
    }

    #[tokio::test]
    async fn its_end_ends_its_requests_and_it_is_unregistered() {
        let loaded = load_line_plugin(options("plain").0).await.unwrap();
        let (agent, _) = agent();
        let plugin = loaded.link(&agent).unwrap();
        let registered = agent.register_plugin(plugin.clone()).await.unwrap();
        let message = memory();
        let responses = chosen("NEVER");
        let (never, ()) = tokio::join!(agent.process_actions(&message, &responses).into_future(), loaded.close());
        let error = never[0].result.error.clone().unwrap();
        assert!(error.contains("plugin \"node "), "{error}");
        drop(registered);
        let gone = load_line_plugin(options("exits").0).await.unwrap_err();
        assert_eq!(gone.code(), Code::Unavailable);
        assert!(gone.message().contains("exited with status 3") && gone.message().contains("no database"), "{gone}");
    }

    #[tokio::test]
    async fn one_that_is_never_ready_is_given_up() {
        let (options, _) = options("silent");
        let late = load_line_plugin(LineLoadOptions { start_timeout: Duration::from_millis(200), ..options }).await;
        assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn the_protocol_of_methods_is_driven_too() {
        let (options, _) = options("methods");
        let loaded = load_line_plugin(LineLoadOptions { dialect: Dialect::Methods, ..options }).await.unwrap();
        let (agent, _) = agent();
        let refused = agent.register_plugin(loaded.link(&agent).unwrap()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented);
        let mut definition = loaded.definition().clone();
        definition.services.clear();
        agent.register_plugin(definition).await.unwrap();
        let valid = agent.valid_actions(&memory(), &Default::default()).await;
        assert_eq!(valid.iter().map(|one| &*one.description.name).collect::<Vec<_>>(), ["ECHO"]);
        let chosen = [Memory::of(Content::default().with_action("ECHO").with_action("FAIL"))];
        let results = agent.process_actions(&memory(), &chosen).await;
        assert_eq!(results[0].result.text.as_deref(), Some("Grüße, 日本 👋"));
        assert_eq!(results[1].result.error.as_deref(), Some("broke"));
        assert!(agent.run_evaluators(&memory(), &[]).await.is_empty());
        let input = json!({ "input": "hi" }).as_object().cloned().unwrap();
        assert_eq!(loaded.peer().call("generateResponse", input).await.unwrap(), "you said hi");
    }
}
