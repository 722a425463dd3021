//! A host in Rust drives plugins that speak JSON-RPC: the cases of test/jsonrpc/driver.json, and the examples.

#[expect(clippy::expect_used, reason = "helpers of tests fail by it too")]
mod between_languages {
    use std::future::poll_fn;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use anyplug_core::transport::MethodRef;
    use anyplug_core::{CallOptions, CallStream, Context, Error, MethodKind, Payload, Result, Service};
    use anyplug_generated::anyplug::test::v1::{AskRequest, AskResponse, Host, HostHandler, Test};
    use anyplug_generated::greeter::v1::{GreetAllRequest, GreetRequest, GreeterClient};
    use anyplug_host::{Plugin, load_plugin};
    use anyplug_json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
    use serde_json::{Map, Value, json};

    struct Answering;

    impl HostHandler for Answering {
        async fn ask(&self, request: AskRequest, _: Context) -> Result<AskResponse> {
            Ok(AskResponse { answer: format!("because: {}", request.question) })
        }
    }

    fn folder(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
    }

    #[tokio::test]
    async fn a_plugin_that_speaks_json_rpc_is_driven() {
        let text = std::fs::read_to_string(folder("test/jsonrpc/driver.json")).expect("the cases");
        let cases: Value = serde_json::from_str(&text).expect("JSON");
        for case in cases["cases"].as_array().expect("a list") {
            drive(case).await;
        }
    }

    async fn drive(case: &Value) {
        let name = case["name"].as_str().expect("a name");
        let plugin = load_plugin(folder("test/jsonrpc/peer"))
            .env("PEER_CASE", name)
            .service(Host::implement(Answering))
            .host_name("host")
            .await
            .expect(name);
        let calls = case["calls"].as_array().expect("a list");
        if case["together"] == Value::Bool(true) {
            let made = futures_util::future::join_all(calls.iter().map(|call| outcome(&plugin, call))).await;
            made.iter().zip(calls).for_each(|(found, call)| check(name, found, call));
        } else {
            for call in calls {
                check(name, &outcome(&plugin, call).await, call);
            }
        }
        plugin.close().await.expect("an end");
    }

    /// What becomes of a call, in the shape of the cases.
    async fn outcome(plugin: &Plugin, call: &Value) -> Value {
        let mut responses = Vec::new();
        let result = make(plugin, call, &mut responses).await;
        let mut found = Map::new();
        match result {
            Ok(Some(response)) => drop(found.insert("response".to_owned(), response)),
            Ok(None) => drop(found.insert("responses".to_owned(), responses.into())),
            Err(error) => {
                if !call["responses"].is_null() {
                    found.insert("responses".to_owned(), responses.into());
                }
                let mut told = json!({ "code": error.code().name(), "message": error.message() });
                if !error.details().is_empty() {
                    told["details"] = error.details().len().into();
                }
                found.insert("error".to_owned(), told);
            }
        }
        found.into()
    }

    async fn make(plugin: &Plugin, call: &Value, responses: &mut Vec<Value>) -> Result<Option<Value>> {
        let name = call["method"].as_str().unwrap_or_default();
        let service = Test::DESCRIPTOR;
        let index = service.methods.iter().position(|method| method.name == name);
        let index = index.ok_or_else(|| Error::internal("no such method"))?;
        let types = JsonTypes::new([service.descriptor_set]);
        let input = format!("anyplug.test.v1.{name}Request");
        let output = format!("anyplug.test.v1.{name}Response");
        let read = |json: &Value| -> Result<Payload> {
            let bytes = types.json_to_bytes(&input, &json.to_string(), JsonReadOptions::default())?;
            Ok(Payload::Bytes(bytes.into()))
        };
        let as_json = |message: Payload| -> Result<Value> {
            let text = types.bytes_to_json(&output, &message.into_bytes(), JsonWriteOptions::default())?;
            serde_json::from_str(&text).map_err(|error| Error::internal(error.to_string()))
        };
        let mut options = CallOptions::new();
        if let Some(ms) = call["timeoutMs"].as_u64() {
            options = options.with_timeout(Duration::from_millis(ms));
        }
        for (key, value) in call["metadata"].as_object().into_iter().flatten() {
            options = options.with_metadata(key, value.as_str().unwrap_or_default());
        }
        let (method, kind) = (MethodRef { service, index }, service.methods[index].kind);
        if kind == MethodKind::Unary {
            let response = plugin.link().unary(method, read(&call["request"])?, options).ended().await?;
            return as_json(response.message).map(Some);
        }
        let only = (!kind.streams_requests()).then(|| read(&call["request"])).transpose()?;
        let stream = plugin.link().stream(method, only, options).await?;
        for request in call["requests"].as_array().into_iter().flatten() {
            poll_fn(|task| stream.poll_ready(task)).await?;
            stream.send(read(request)?, false)?;
        }
        if kind.streams_requests() {
            stream.end(Ok(()));
        }
        let mut only = None;
        while let Some(message) = next(&*stream).await? {
            let message = as_json(message)?;
            if kind.streams_responses() { responses.push(message) } else { only = Some(message) }
        }
        Ok(only)
    }

    async fn next(stream: &dyn CallStream) -> Result<Option<Payload>> {
        poll_fn(|task| stream.poll_receive(task)).await
    }

    fn check(name: &str, found: &Value, call: &Value) {
        let expected: Map<String, Value> = ["response", "responses", "error"]
            .into_iter()
            .filter(|member| !call[member].is_null())
            .map(|member| (member.to_owned(), fitted(&call[member], &found[member])))
            .collect();
        assert_eq!(found, &Value::Object(expected), "{name}");
    }

    /// What is expected, with the texts that it leaves open as they came.
    fn fitted(expected: &Value, found: &Value) -> Value {
        match (expected, found) {
            (Value::String(pattern), Value::String(text)) if pattern.contains('*') && fits(pattern, text) => {
                found.clone()
            }
            (Value::Object(members), Value::Object(_)) => members
                .iter()
                .map(|(name, value)| (name.clone(), fitted(value, &found[name])))
                .collect::<Map<_, _>>()
                .into(),
            _ => expected.clone(),
        }
    }

    fn fits(pattern: &str, text: &str) -> bool {
        let mut parts = pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let parts: Vec<_> = parts.collect();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                return rest.ends_with(part);
            }
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.is_empty()
    }

    #[tokio::test]
    async fn the_plugins_of_thirty_lines_greet_by_the_ordinary_client() {
        for language in ["plain-python", "plain-node"] {
            let plugin = load_plugin(folder("examples/json-rpc").join(language)).await.expect("a plugin");
            assert_eq!(
                (plugin.name().as_str(), plugin.version().as_str(), plugin.transport()),
                ("greeter", "1.0.0", "stdio")
            );
            let greeter = GreeterClient::new(&plugin);
            assert_eq!(
                greeter.greet(GreetRequest { name: "Ada".into() }).await.expect("an answer").text,
                "Hello, Ada!"
            );
            let mut greetings = greeter.greet_all(GreetAllRequest { name: "Grace".into() }).await.expect("a stream");
            let mut texts = Vec::new();
            while let Some(greeting) = greetings.message().await.expect("a greeting") {
                texts.push(greeting.text);
            }
            assert_eq!(texts, ["Hello, Grace!", "Bonjour, Grace!", "Ciao, Grace!"]);
            plugin.close().await.expect("an end");
        }
    }
}
