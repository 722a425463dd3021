//! The shared cases, in this process and with plugins in all languages: calls and answers as proto3 JSON.

#![allow(clippy::expect_used, reason = "a test ends where it fails")]

use std::path::{Path, PathBuf};

use anyplug::json::{JsonReadOptions, JsonTypes, JsonWriteOptions};
use anyplug::{Error, Plugin, Result, Service};
use anyplug_generated::inmemorydb::v1::{
    DropCollectionRequest, InMemoryDb, InMemoryDbClient, ListCollectionsRequest, SetManyRequest,
};
use serde_json::{Value, json};

fn folder(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(language)
}

fn types() -> JsonTypes {
    JsonTypes::new([InMemoryDb::DESCRIPTOR.descriptor_set])
}

/// Runs all cases, each with an empty database.
async fn run(plugin: &Plugin) {
    let text = std::fs::read_to_string(folder("data").join("cases.json")).expect("the shared cases");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list");
    let db = InMemoryDbClient::new(plugin);
    for case in &cases {
        let collections = db.list_collections(ListCollectionsRequest {}).await.expect("a list").collections;
        for collection in collections {
            db.drop_collection(DropCollectionRequest { collection: collection.name }).await.expect("dropped");
        }
        for step in case["steps"].as_array().expect("steps") {
            let played = match answer(&db, step).await {
                Ok((name, answer)) => json!({ name: answer }),
                Err(error) => json!({ "error": error.to_string() }),
            };
            let expected = ["response", "responses", "error"].into_iter().filter(|name| !step[name].is_null());
            for name in expected {
                assert!(same(&played[name], &step[name]), "{}: {step}\nanswered {played}", case["name"]);
            }
        }
    }
}

/// Whether two are the same JSON: 1 is 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

macro_rules! unary {
    ($method:ident, $db:expr, $step:expr) => {{
        let request = types().from_json(&$step["request"].to_string(), JsonReadOptions::default())?;
        ("response", read(&types().to_json(&$db.$method(request).await?, JsonWriteOptions::default())?)?)
    }};
}

async fn answer(db: &InMemoryDbClient, step: &Value) -> Result<(&'static str, Value)> {
    let answer = match step["call"].as_str().unwrap_or_default() {
        "createCollection" => unary!(create_collection, db, step),
        "dropCollection" => unary!(drop_collection, db, step),
        "listCollections" => unary!(list_collections, db, step),
        "get" => unary!(get, db, step),
        "set" => unary!(set, db, step),
        "delete" => unary!(delete, db, step),
        "count" => unary!(count, db, step),
        "clear" => unary!(clear, db, step),
        "search" => unary!(search, db, step),
        "setMany" => {
            let requests = step["requests"].as_array().into_iter().flatten();
            let read_one = |one: &Value| types().from_json(&one.to_string(), JsonReadOptions::default());
            let requests = requests.map(read_one).collect::<Result<Vec<SetManyRequest>>>()?;
            let response = db.set_many(futures_util::stream::iter(requests)).await?;
            ("response", read(&types().to_json(&response, JsonWriteOptions::default())?)?)
        }
        "list" => {
            let request = types().from_json(&step["request"].to_string(), JsonReadOptions::default())?;
            let mut found = db.list(request).await?;
            let mut responses = Vec::new();
            while let Some(response) = found.message().await? {
                responses.push(read(&types().to_json(&response, JsonWriteOptions::default())?)?);
            }
            ("responses", responses.into())
        }
        other => return Err(Error::unimplemented(other.to_owned())),
    };
    Ok(answer)
}

fn read(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|error| Error::unknown(error.to_string()))
}

#[tokio::test]
async fn the_plugin_answers_as_the_shared_cases_say() {
    let load = anyplug::load_plugin(folder("rust")).transport("direct").linked(inmemorydb::plugin());
    let plugin = load.await.expect("the plugin");
    run(&plugin).await;
    plugin.close().await.expect("closed");
}

mod between_languages {
    use super::*;

    async fn run_in(language: &str) {
        let load = anyplug::load_plugin(folder(language)).transport("process");
        let plugin = load.await.expect("the plugin");
        run(&plugin).await;
        plugin.close().await.expect("closed");
    }

    #[tokio::test]
    async fn the_plugin_in_typescript_answers_as_the_shared_cases_say() {
        run_in("ts").await;
    }

    #[tokio::test]
    async fn the_plugin_in_rust_answers_as_the_shared_cases_say_in_a_process() {
        run_in("rust").await;
    }

    #[tokio::test]
    async fn the_plugin_in_python_answers_as_the_shared_cases_say() {
        run_in("python").await;
    }
}
