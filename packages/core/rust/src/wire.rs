//! The messages of the control plane, until `anyplug-protocol` is generated.
#![allow(missing_docs, clippy::derive_partial_eq_without_eq)]

#[derive(Clone, PartialEq, prost::Message)]
pub struct CallHeader {
    #[prost(uint32, optional, tag = "1")]
    pub timeout_ms: Option<u32>,
    #[prost(message, repeated, tag = "2")]
    pub metadata: Vec<MetadataEntry>,
    #[prost(string, tag = "3")]
    pub traceparent: String,
    #[prost(string, tag = "4")]
    pub tracestate: String,
    #[prost(string, repeated, tag = "5")]
    pub origin: Vec<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Credit {
    #[prost(uint32, tag = "1")]
    pub bytes: u32,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum LogLevel {
    Unspecified = 0,
    Trace = 1,
    Debug = 2,
    Info = 3,
    Warn = 4,
    Error = 5,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct LogRecord {
    #[prost(enumeration = "LogLevel", tag = "1")]
    pub level: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(string, tag = "3")]
    pub logger: String,
    #[prost(int64, tag = "4")]
    pub time_ms: i64,
    #[prost(btree_map = "string, string", tag = "5")]
    pub fields: std::collections::BTreeMap<String, String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct GoAway {
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Hello {
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    #[prost(uint32, tag = "2")]
    pub min_protocol: u32,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub version: String,
    #[prost(string, tag = "5")]
    pub runtime: String,
    #[prost(message, optional, tag = "6")]
    pub limits: Option<Limits>,
    #[prost(message, repeated, tag = "7")]
    pub services: Vec<Service>,
    #[prost(message, repeated, tag = "8")]
    pub uses: Vec<ServiceUse>,
}
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Limits {
    #[prost(uint32, tag = "1")]
    pub max_message_bytes: u32,
    #[prost(uint32, tag = "2")]
    pub max_pending_requests: u32,
    #[prost(uint32, tag = "3")]
    pub initial_credit_bytes: u32,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Service {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub fingerprint: String,
    #[prost(string, repeated, tag = "3")]
    pub methods: Vec<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct ServiceUse {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub fingerprint: String,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct MetadataEntry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<prost_types::Any>,
    #[prost(message, repeated, tag = "4")]
    pub metadata: Vec<MetadataEntry>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDescriptorsRequest {
    #[prost(string, repeated, tag = "1")]
    pub services: Vec<String>,
}
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDescriptorsResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub file_descriptor_set: Vec<u8>,
}
