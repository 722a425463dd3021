//! What test/matrix wants to be tried, and where.

use serde_json::Value;

/// A behaviour of `test/matrix/behaviours.json`.
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// What a transport has to have for it.
    needs: Option<String>,
}

impl Wanted {
    /// Whether it can be tried over this transport. Where it cannot, the list says why.
    pub(crate) fn applies_to(&self, transport: &str) -> bool {
        let Some(needs) = &self.needs else { return true };
        let transports = transports();
        let transport = transports.iter().find(|one| one["name"] == transport).expect("a transport");
        transport["has"].as_array().expect("what it has").iter().any(|has| has == needs.as_str())
    }
}

/// All behaviours.
pub(crate) fn behaviours() -> Vec<Wanted> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let wanted = |value: &Value| Wanted { name: text(&value["name"]).expect("a name"), needs: text(&value["needs"]) };
    parse(include_str!("../../behaviours.json")).iter().map(wanted).collect()
}

/// The cells of a host in Rust: the plugin's language and the transport.
pub(crate) fn cells() -> Vec<(&'static str, String)> {
    let all = ["typescript", "python", "rust"];
    let of = |transport: &Value| {
        let name = transport["name"].as_str().expect("a name").to_owned();
        let reached = |language: &&str| match &transport["plugins"] {
            Value::Array(some) => some.iter().any(|one| one == language),
            own_or_all => own_or_all == "all" || *language == "rust",
        };
        all.into_iter().filter(reached).map(|language| (language, name.clone())).collect::<Vec<_>>()
    };
    transports().iter().flat_map(of).collect()
}

fn transports() -> Vec<Value> {
    parse(include_str!("../../transports.json"))
}

fn parse(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("a list")
}
