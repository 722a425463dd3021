//! Plugins that are shared libraries with ElizaOS's C ABI: the cases that all languages share, and what is given back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod between_languages {
    use std::collections::HashMap;
    use std::path::{Path, PathBuf};

    use anyplug_contracts::agent::{
        AgentRuntime, AgentRuntimeOptions, InvokeArguments, Json, JsonObject, Memory, Registration, State,
    };
    use anyplug_core::{CallOptions, Code, Error};
    use anyplug_elizaos::{LibraryPlugin, load_library_plugin};
    use futures_util::future::join_all;
    use serde_json::json;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../test/elizaos/library")
    }

    fn library(name: &str) -> PathBuf {
        folder().join("bin").join(format!("{name}.so"))
    }

    fn cases() -> Json {
        serde_json::from_slice(&std::fs::read(folder().join("cases.json")).unwrap()).unwrap()
    }

    /// A plugin, and typed calls of it.
    struct Ledger {
        plugin: LibraryPlugin,
        calls: Registration,
        asked: Json,
    }

    impl Ledger {
        async fn load(path: &Path) -> Self {
            let plugin = load_library_plugin(path).await.unwrap();
            let link = plugin.link(&AgentRuntime::new(AgentRuntimeOptions::default())).unwrap();
            let calls = Registration::of_link(&link, CallOptions::new()).await.unwrap();
            Self { plugin, calls, asked: cases()["asked"].clone() }
        }

        fn question(&self, text: Option<&str>) -> (Memory, State) {
            let memory =
                text.map_or_else(|| self.asked["memory"].clone(), |text| json!({ "content": { "text": text } }));
            (Memory::from_json(&memory, "memory").unwrap(), State::from_json(&self.asked["state"], "state").unwrap())
        }

        async fn run(&self, case: &Json) -> Result<Json, Error> {
            let name = case["name"].as_str().unwrap_or_default();
            let (message, state) = self.question(case["text"].as_str());
            let options = CallOptions::new();
            let arguments = || InvokeArguments {
                message: message.clone(),
                state: state.clone(),
                options: self.asked["options"].as_object().cloned(),
                responses: Vec::new(),
            };
            Ok(match case["do"].as_str().unwrap() {
                "init" => {
                    let config = case["config"].as_object().cloned().unwrap_or_default();
                    self.calls.init("a1", "agent", config, options).await?;
                    Json::Null
                }
                "validateAction" => self.calls.validate_action(name, &message, &state, options).await?.into(),
                "invokeAction" => {
                    self.calls.invoke_action(name, arguments(), |_| {}, options).await?.into_json().into()
                }
                "getProvider" => self.calls.get_provider(name, &message, &state, options).await?.into_json().into(),
                "validateEvaluator" => self.calls.validate_evaluator(name, &message, &state, options).await?.into(),
                _ => self.calls.invoke_evaluator(name, arguments(), |_| {}, options).await?.into_json().into(),
            })
        }

        async fn check(&self, case: &Json) {
            let answer = self.run(case).await;
            if let Some(code) = case["code"].as_str() {
                return failed(&answer.unwrap_err(), code, case);
            }
            let answer = answer.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_has(&answer, &case["expect"], case);
            for name in case["echoes"].as_array().into_iter().flatten().filter_map(Json::as_str) {
                assert_eq!(answer["data"][name], self.asked[name], "{case}");
            }
        }

        async fn counts(&self) -> Json {
            let (message, state) = self.question(Some("count"));
            let told = self.calls.get_provider("COUNTS", &message, &state, CallOptions::new()).await.unwrap();
            told.values.unwrap().into()
        }

        async fn echo(&self, text: &str) -> Json {
            let (message, state) = self.question(Some(text));
            let arguments = InvokeArguments { message, state, options: None, responses: Vec::new() };
            let told = self.calls.invoke_action("ECHO", arguments, |_| {}, CallOptions::new()).await.unwrap();
            Json::from(told.into_json())["data"]["memory"]["content"]["text"].clone()
        }
    }

    fn failed(error: &Error, code: &str, case: &Json) {
        assert_eq!(error.code().name(), code, "{case}: {error}");
        for words in case["says"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            assert!(error.message().contains(words), "{case}: {error}");
        }
    }

    /// Objects may have more members than are expected.
    fn assert_has(answer: &Json, expected: &Json, case: &Json) {
        match expected {
            Json::Object(members) => {
                members.iter().for_each(|(name, member)| assert_has(&answer[name], member, case));
            }
            _ => assert_eq!(answer, expected, "{case}"),
        }
    }

    #[tokio::test]
    async fn what_is_no_plugin_says_why() {
        for case in cases()["refused"].as_array().unwrap() {
            let refused = load_library_plugin(library(case["library"].as_str().unwrap())).await;
            failed(&refused.unwrap_err(), case["code"].as_str().unwrap(), case);
        }
    }

    #[tokio::test]
    async fn it_does_for_an_agent_whatever_its_library_does() {
        let ledger = Ledger::load(&folder()).await;
        for case in cases()["calls"].as_array().unwrap() {
            ledger.check(case).await;
        }
        let definition = ledger.plugin.definition();
        assert_eq!((&*definition.name, &*definition.description), ("ledger", "Keeps count"));
        ledger.plugin.close().await;
    }

    #[tokio::test]
    async fn a_library_may_lack_functions() {
        let mut loaded = HashMap::new();
        for case in cases()["lacking"].as_array().unwrap() {
            let name = case["library"].as_str().unwrap();
            if !loaded.contains_key(name) {
                loaded.insert(name.to_owned(), Ledger::load(&library(name)).await);
            }
            loaded[name].check(case).await;
        }
    }

    #[tokio::test]
    async fn many_and_large_calls_are_made_one_at_a_time_and_all_that_was_returned_is_given_back() {
        let ledger = Ledger::load(&library("ledger")).await;
        for length in [0, 65_536, 1 << 20] {
            let text = "ü".repeat(length / 2);
            assert_eq!(ledger.echo(&text).await, text);
        }
        let texts: Vec<_> = (0..200).map(|index| format!("text {index}")).collect();
        let told = join_all(texts.iter().map(|text| ledger.echo(text))).await;
        assert_eq!(told, texts);
        let fails = [json!({ "do": "invokeAction", "name": "BYTES" }), json!({ "do": "getProvider", "name": "TEXT" })];
        for case in &fails {
            ledger.run(case).await.unwrap_err();
        }
        assert_eq!(ledger.counts().await, json!({ "kept": 0, "foreign": 0, "together": 0, "hindering": 0 }));
    }

    #[tokio::test]
    async fn an_agent_registers_it_with_a_configuration_of_which_it_may_refuse_one() {
        let plugin = load_library_plugin(library("ledger")).await.unwrap();
        let agent = AgentRuntime::new(AgentRuntimeOptions::default());
        let refused = agent.register_plugin(plugin.link(&agent).unwrap()).config("refuse", true).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        agent.register_plugin(plugin.link(&agent).unwrap()).config("key", "Schlüssel").await.unwrap();
        let state = agent.compose_state(&Memory::default(), Default::default()).await.unwrap();
        assert_eq!((state.text.as_str(), &state.values["kept"]), ("counted", &json!(0)));
        // Services and routes are what the ABI has no functions for.
        assert!(agent.routes().is_empty());
        plugin.close().await;
    }

    #[tokio::test]
    async fn closing_it_lets_calls_end_and_refuses_those_that_come_later() {
        let ledger = Ledger::load(&library("ledger")).await;
        let texts: Vec<_> = (0..10).map(|index| format!("text {index}")).collect();
        let (told, ()) = tokio::join!(join_all(texts.iter().map(|text| ledger.echo(text))), ledger.plugin.close());
        assert_eq!(told, texts);
        let late = ledger.run(&json!({ "do": "validateAction", "name": "ECHO" })).await.unwrap_err();
        assert_eq!(late.code(), Code::Unavailable);
        assert!(late.message().contains("plugin \"ledger\" was closed"), "{late}");
        ledger.plugin.close().await;
        let again = Ledger::load(&library("ledger")).await;
        assert_eq!(again.echo("once more").await, "once more");
    }

    #[tokio::test]
    async fn each_load_has_a_library_of_its_own_and_the_file_may_be_replaced() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("plugin.so");
        std::fs::copy(library("ledger"), &file).unwrap();
        let first = Ledger::load(&file).await;
        first.calls.init("a1", "agent", JsonObject::new(), CallOptions::new()).await.unwrap();
        std::fs::copy(library("no_init"), &file).unwrap();
        let second = Ledger::load(&file).await;
        let config = json!({ "do": "init", "config": { "a": 1 } });
        assert_eq!(second.run(&config).await.unwrap_err().code(), Code::Unimplemented);
        first.run(&config).await.unwrap();
        assert_eq!(first.echo("the old one").await, "the old one");
    }

    #[tokio::test]
    async fn a_manifest_that_names_no_library_or_one_outside_says_so() {
        let place = tempfile::tempdir().unwrap();
        for (interop, code, says) in [
            (json!({ "protocol": "ffi" }), Code::FailedPrecondition, "interop.sharedLibPath is missing"),
            (json!({ "sharedLibPath": "../x.so" }), Code::InvalidArgument, "leaves the plugin's folder"),
            (json!({ "sharedLibPath": "none.so" }), Code::NotFound, "none.so"),
        ] {
            let manifest =
                json!({ "name": "x", "description": "", "version": "1.0.0", "language": "rust", "interop": interop });
            std::fs::write(place.path().join("plugin.json"), manifest.to_string()).unwrap();
            let error = load_library_plugin(place.path()).await.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(says), "{error}");
        }
    }
}
