//! The message of 1.2 kB, as every codec of the benchmark has it.

use std::collections::BTreeMap;

use anyplug_generated::anyplug::bench::v1::{Line, Order};
use serde::{Deserialize, Serialize};

/// The same for serde, with the fields by the names that the schema gives them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlainOrder {
    id: String,
    customer: String,
    created_ms: i64,
    lines: Vec<PlainLine>,
    attributes: BTreeMap<String, String>,
    notes: Vec<String>,
    quantities: Vec<i32>,
    status: i32,
    reference: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlainLine {
    sku: String,
    name: String,
    quantity: u32,
    price_cents: i64,
    taxed: bool,
    weight: f64,
}

/// Reads the message that the orchestrator keeps as JSON for all languages.
pub(crate) fn plain_order(json: &str) -> Result<PlainOrder, serde_json::Error> {
    serde_json::from_str(json)
}

/// The same as the generated message.
pub(crate) fn order(plain: PlainOrder) -> Order {
    let line = |line: PlainLine| Line {
        sku: line.sku,
        name: line.name,
        quantity: line.quantity,
        price_cents: line.price_cents,
        taxed: line.taxed,
        weight: line.weight,
    };
    Order {
        id: plain.id,
        customer: plain.customer,
        created_ms: plain.created_ms,
        lines: plain.lines.into_iter().map(line).collect(),
        attributes: plain.attributes,
        notes: plain.notes,
        quantities: plain.quantities,
        status: plain.status,
        reference: plain.reference,
    }
}
