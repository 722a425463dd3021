//! A manifest of ElizaOS, as an agent's description of a plugin and back.

use anyplug_contracts::agent::{
    ActionDescription, DescribeResponse, EvaluatorDescription, Json, JsonObject, ProviderDescription, RouteDescription,
    ServiceDescription,
};
use serde_json::json;

/// Returns what a manifest says that the plugin has. It is read as it comes: what is not of the expected kind is left out, since peers add members of their own and other
/// spellings.
pub fn description_of(manifest: &JsonObject) -> DescribeResponse {
    DescribeResponse {
        name: text(manifest, &["name"]),
        description: text(manifest, &["description"]),
        priority: number(manifest, "priority"),
        dependencies: texts(manifest, "dependencies"),
        actions: objects(manifest, "actions")
            .map(|action| ActionDescription {
                name: text(action, &["name"]),
                description: text(action, &["description"]),
                similes: texts(action, "similes"),
                examples_json: json_of(action, "examples"),
                priority: number(action, "priority"),
                tags: texts(action, "tags"),
                parameters_json: json_of(action, "parameters"),
            })
            .collect(),
        providers: objects(manifest, "providers")
            .map(|provider| ProviderDescription {
                name: text(provider, &["name"]),
                description: text(provider, &["description"]),
                dynamic: flag(provider, &["dynamic"]),
                position: number(provider, "position"),
                private: flag(provider, &["private"]),
            })
            .collect(),
        evaluators: objects(manifest, "evaluators")
            .map(|evaluator| EvaluatorDescription {
                name: text(evaluator, &["name"]),
                description: text(evaluator, &["description"]),
                similes: texts(evaluator, "similes"),
                always_run: flag(evaluator, &["alwaysRun", "always_run"]),
                examples_json: json_of(evaluator, "examples"),
            })
            .collect(),
        services: objects(manifest, "services")
            .map(|service| ServiceDescription {
                r#type: text(service, &["type", "serviceType", "name"]),
                description: text(service, &["description"]),
            })
            .collect(),
        routes: objects(manifest, "routes")
            .map(|route| RouteDescription {
                path: text(route, &["path"]),
                method: text(route, &["method", "type"]),
                name: text(route, &["name"]),
                public: flag(route, &["public"]),
                multipart: flag(route, &["isMultipart", "is_multipart"]),
            })
            .collect(),
        events: manifest
            .get("events")
            .and_then(Json::as_object)
            .map(|events| events.keys().cloned().collect())
            .unwrap_or_default(),
        models: texts(manifest, "models"),
    }
}

/// Returns the manifest of a plugin: of each thing the members that ElizaOS knows.
pub fn manifest_of(description: &DescribeResponse, language: &str) -> JsonObject {
    let actions: Vec<_> = description.actions.iter().map(action_of).collect();
    let provider = |one: &ProviderDescription| {
        json!({
            "name": one.name, "description": one.description, "dynamic": one.dynamic, "position": one.position,
            "private": one.private,
        })
    };
    let evaluator = |one: &EvaluatorDescription| {
        json!({
            "name": one.name, "description": one.description, "alwaysRun": one.always_run, "similes": one.similes,
        })
    };
    let service = |one: &ServiceDescription| json!({ "type": one.r#type, "description": one.description });
    let route = |one: &RouteDescription| {
        json!({
            "path": one.path, "method": one.method, "name": one.name, "public": one.public,
            "isMultipart": one.multipart,
        })
    };
    let events: JsonObject = description.events.iter().map(|one| (one.clone(), json!([one]))).collect();
    let manifest = [
        ("name", description.name.clone().into()),
        ("description", description.description.clone().into()),
        ("version", "1.0.0".into()),
        ("language", language.into()),
        ("interop", json!({ "protocol": "ipc" })),
        ("dependencies", description.dependencies.clone().into()),
        ("actions", actions.into()),
        ("providers", description.providers.iter().map(provider).collect()),
        ("evaluators", description.evaluators.iter().map(evaluator).collect()),
        ("services", description.services.iter().map(service).collect()),
        ("routes", description.routes.iter().map(route).collect()),
        ("events", events.into()),
    ];
    manifest.into_iter().map(|(name, member)| (name.to_owned(), member)).collect()
}

fn action_of(action: &ActionDescription) -> Json {
    let mut told = json!({ "name": action.name, "description": action.description, "similes": action.similes });
    if let Ok(examples) = serde_json::from_str::<Json>(&action.examples_json) {
        told["examples"] = examples;
    }
    told
}

/// The first of the spellings that is there.
fn spelled<'a>(object: &'a JsonObject, names: &[&str]) -> Option<&'a Json> {
    names.iter().find_map(|name| object.get(*name).filter(|value| !value.is_null()))
}

fn text(object: &JsonObject, names: &[&str]) -> String {
    spelled(object, names).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn flag(object: &JsonObject, names: &[&str]) -> bool {
    spelled(object, names) == Some(&Json::Bool(true))
}

fn number(object: &JsonObject, name: &str) -> i32 {
    object.get(name).and_then(Json::as_i64).and_then(|number| number.try_into().ok()).unwrap_or(0)
}

fn list<'a>(object: &'a JsonObject, name: &str) -> &'a [Json] {
    object.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(object: &JsonObject, name: &str) -> Vec<String> {
    list(object, name).iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn objects<'a>(object: &'a JsonObject, name: &str) -> impl Iterator<Item = &'a JsonObject> {
    list(object, name).iter().filter_map(Json::as_object)
}

fn json_of(object: &JsonObject, name: &str) -> String {
    spelled(object, &[name]).map(Json::to_string).unwrap_or_default()
}
