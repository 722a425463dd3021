//! The message of 1.2 kB with the codec that prost derives, the peer of ours.

use std::collections::BTreeMap;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    customer: String,
    #[prost(int64, tag = "3")]
    created_ms: i64,
    #[prost(message, repeated, tag = "4")]
    lines: Vec<Line>,
    #[prost(btree_map = "string, string", tag = "5")]
    attributes: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "6")]
    notes: Vec<String>,
    #[prost(int32, repeated, tag = "7")]
    quantities: Vec<i32>,
    #[prost(int32, tag = "8")]
    status: i32,
    #[prost(string, optional, tag = "9")]
    reference: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Line {
    #[prost(string, tag = "1")]
    sku: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint32, tag = "3")]
    quantity: u32,
    #[prost(int64, tag = "4")]
    price_cents: i64,
    #[prost(bool, tag = "5")]
    taxed: bool,
    #[prost(double, tag = "6")]
    weight: f64,
}
