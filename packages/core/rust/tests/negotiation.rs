//! Schemas that differ: which differences are none, which refuse, and when they are found.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

mod greeter;
mod pair;

use std::sync::Arc;

use anyplug_core::codegen::v1 as codegen;
use anyplug_core::connection::RawRequest;
use anyplug_core::negotiation::{Rule, check_compatible, compare};
use anyplug_core::transport::Link;
use anyplug_core::{Code, Grants, RouterOptions, ServiceEntry};
use greeter::{GREETER, Greeter, GreeterClient, Plain, text};
use pair::{Pair, PairOptions};
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    OneofDescriptorProto, ServiceDescriptorProto,
};

const SERVICE: &str = "greeter.v1.GreeterService";

/// A schema of one service, whose request can be changed by a test.
#[derive(Clone)]
struct Schema {
    file: FileDescriptorProto,
}

impl Schema {
    fn new() -> Self {
        let method = |name: &str, client: bool, server: bool| MethodDescriptorProto {
            name: Some(name.into()),
            input_type: Some(".greeter.v1.Text".into()),
            output_type: Some(".greeter.v1.Text".into()),
            client_streaming: Some(client),
            server_streaming: Some(server),
            ..Default::default()
        };
        let methods = vec![
            method("Greet", false, false),
            method("Count", false, true),
            method("Join", true, false),
            method("Chat", true, true),
            method("Secret", false, false),
        ];
        let service =
            ServiceDescriptorProto { name: Some("GreeterService".into()), method: methods, ..Default::default() };
        let text = DescriptorProto {
            name: Some("Text".into()),
            field: vec![
                field("text", 1, Type::String),
                field("data", 2, Type::Bytes),
                of("nested", 3, ".greeter.v1.Text.Part"),
            ],
            nested_type: vec![DescriptorProto {
                name: Some("Part".into()),
                field: vec![field("number", 1, Type::Int32), of("again", 2, ".greeter.v1.Text")],
                ..Default::default()
            }],
            ..Default::default()
        };
        let file = FileDescriptorProto {
            name: Some("greeter/v1/greeter.proto".into()),
            package: Some("greeter.v1".into()),
            message_type: vec![text],
            service: vec![service],
            ..Default::default()
        };
        Self { file }
    }

    fn with(mut self, change: impl FnOnce(&mut DescriptorProto, &mut ServiceDescriptorProto)) -> Self {
        change(&mut self.file.message_type[0], &mut self.file.service[0]);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        FileDescriptorSet { file: vec![self.file.clone()] }.encode_to_vec()
    }
}

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        label: Some(Label::Optional as i32),
        r#type: Some(kind as i32),
        ..Default::default()
    }
}

fn of(name: &str, number: i32, message: &str) -> FieldDescriptorProto {
    FieldDescriptorProto { type_name: Some(message.into()), ..field(name, number, Type::Message) }
}

/// What differs, seen from each side.
fn differences(one: &Schema, two: &Schema) -> [Vec<(Rule, String)>; 2] {
    [(one, two), (two, one)].map(|(caller, callee)| {
        let found = compare(SERVICE, &caller.bytes(), &callee.bytes()).unwrap();
        found.into_iter().map(|difference| (difference.rule, difference.subject)).collect()
    })
}

#[test]
fn equal_schemas_and_added_fields_are_no_difference() {
    let old = Schema::new();
    let new = Schema::new().with(|text, _| {
        text.field.push(field("added", 9, Type::Double));
        text.field.remove(1);
    });
    assert_eq!(differences(&old, &old), [vec![], vec![]]);
    assert_eq!(differences(&old, &new), [vec![], vec![]]);
}

#[test]
fn a_removed_method_matters_to_the_caller_only() {
    let old = Schema::new();
    let new = Schema::new().with(|_, service| drop(service.method.remove(1)));
    assert_eq!(differences(&old, &new), [vec![(Rule::MethodRemoved, format!("{SERVICE}/Count"))], vec![]]);
}

#[test]
fn a_method_of_another_kind_or_type_is_refused() {
    let old = Schema::new();
    let new = Schema::new().with(|_, service| service.method[0].server_streaming = Some(true));
    assert_eq!(differences(&old, &new)[0], [(Rule::MethodKind, format!("{SERVICE}/Greet"))]);
    let new = Schema::new().with(|_, service| service.method[0].output_type = Some(".greeter.v1.Other".into()));
    assert_eq!(differences(&old, &new)[1], [(Rule::MethodType, format!("{SERVICE}/Greet"))]);
}

#[test]
fn types_whose_encodings_are_the_same_are_no_difference_and_others_are() {
    let groups: [&[Type]; 8] = [
        &[Type::Int32, Type::Int64, Type::Uint32, Type::Uint64, Type::Bool, Type::Enum],
        &[Type::Sint32, Type::Sint64],
        &[Type::Fixed32, Type::Sfixed32],
        &[Type::Fixed64, Type::Sfixed64],
        &[Type::String, Type::Bytes],
        &[Type::Float],
        &[Type::Double],
        &[Type::Message],
    ];
    let with = |kind| Schema::new().with(|text, _| text.field.push(field("f", 7, kind)));
    for (index, group) in groups.iter().enumerate() {
        for (other_index, other_group) in groups.iter().enumerate() {
            for (one, two) in group.iter().flat_map(|one| other_group.iter().map(move |two| (*one, *two))) {
                let expected = match index == other_index {
                    true => vec![],
                    false => vec![(Rule::FieldType, "greeter.v1.Text.f (field 7)".to_owned())],
                };
                assert_eq!(differences(&with(one), &with(two))[0], expected, "{one:?} and {two:?}");
            }
        }
    }
}

#[test]
fn repeated_on_one_side_is_refused() {
    let new = Schema::new().with(|text, _| text.field[0].label = Some(Label::Repeated as i32));
    let subject = "greeter.v1.Text.text (field 1)".to_owned();
    assert_eq!(
        differences(&Schema::new(), &new),
        [vec![(Rule::FieldCardinality, subject.clone())], vec![(Rule::FieldCardinality, subject)]]
    );
}

#[test]
fn fields_that_share_a_oneof_on_one_side_only_are_refused() {
    let oneof = |fields: &[usize]| {
        Schema::new().with(|text, _| {
            text.oneof_decl.push(OneofDescriptorProto { name: Some("choice".into()), ..Default::default() });
            fields.iter().for_each(|index| text.field[*index].oneof_index = Some(0));
        })
    };
    let together = "greeter.v1.Text.text and data (fields 1 and 2)".to_owned();
    assert_eq!(differences(&Schema::new(), &oneof(&[0, 1]))[0], [(Rule::FieldOneof, together)]);
    assert_eq!(
        differences(&Schema::new(), &oneof(&[0])),
        [vec![], vec![]],
        "a oneof of one field is like an optional field"
    );
}

#[test]
fn messages_are_compared_to_any_depth_and_around_a_circle() {
    let new = Schema::new().with(|text, _| text.nested_type[0].field[0] = field("number", 1, Type::Fixed32));
    let expected = vec![(Rule::FieldType, "greeter.v1.Text.Part.number (field 1)".to_owned())];
    assert_eq!(differences(&Schema::new(), &new), [expected.clone(), expected]);
}

#[test]
fn a_refusal_names_rules_fields_and_what_each_side_has() {
    let new = Schema::new().with(|text, service| {
        text.field[0] = field("text", 1, Type::Int32);
        service.method.clear();
        service.method.extend(Schema::new().file.service[0].method.first().cloned());
    });
    let error = check_compatible(SERVICE, &Schema::new().bytes(), &new.bytes()).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    for part in [
        SERVICE,
        "FIELD_TYPE greeter.v1.Text.text (field 1): string at the caller, int32 at the callee",
        "METHOD_REMOVED",
    ] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn descriptors_that_are_none_are_an_error() {
    for (caller, callee) in [(&b"\xff"[..], Schema::new().bytes()), (&Schema::new().bytes()[..], b"\x0a\x05".to_vec())]
    {
        assert_eq!(compare(SERVICE, caller, &callee).unwrap_err().code(), Code::Internal);
    }
    let error = compare("other.v1.Service", &Schema::new().bytes(), &Schema::new().bytes()).unwrap_err();
    assert!(error.message().contains("lack the service other.v1.Service"), "{error}");
}

// --- between two sides ---------------------------------------------------------------------------

/// The greeter by another schema and fingerprint.
fn greeter_by(schema: &Schema, fingerprint: &'static str) -> &'static codegen::ServiceDescriptor {
    let descriptor_set = Box::leak(schema.bytes().into_boxed_slice());
    Box::leak(Box::new(codegen::ServiceDescriptor {
        fingerprint,
        descriptor_set,
        methods: GREETER.methods,
        name: GREETER.name,
    }))
}

fn serving(service: &'static codegen::ServiceDescriptor) -> Pair {
    let services = vec![Greeter::implement_as(service, Plain)];
    let plugin = RouterOptions { services, grants: Grants::All, ..Default::default() };
    Pair::new(PairOptions { plugin, ..PairOptions::default() })
}

fn entry(service: &'static codegen::ServiceDescriptor) -> Arc<ServiceEntry> {
    Arc::new(service.into())
}

#[test]
fn equal_fingerprints_cost_nothing() {
    let service = greeter_by(&Schema::new(), "aa");
    let pair = serving(service);
    let moved = pair.moved();
    pair.run(pair.host.negotiate(entry(service))).unwrap();
    assert_eq!(pair.moved(), moved);
}

#[test]
fn another_fingerprint_with_a_schema_that_fits_is_asked_for_once() {
    let ours = greeter_by(&Schema::new().with(|text, _| text.field.push(field("new", 8, Type::Bool))), "bb");
    let pair = serving(greeter_by(&Schema::new(), "aa"));
    let before = pair.moved();
    pair.run(pair.host.negotiate(entry(ours))).unwrap();
    let asked = pair.moved();
    assert!(asked > before);
    pair.run(pair.host.negotiate(entry(ours))).unwrap();
    assert_eq!(pair.moved(), asked);
}

#[test]
fn a_schema_that_does_not_fit_is_refused_at_load_and_before_the_first_call() {
    let theirs = greeter_by(&Schema::new().with(|text, _| text.field[0] = field("text", 1, Type::Int32)), "aa");
    let ours = greeter_by(&Schema::new(), "bb");
    let pair = serving(theirs);
    let error = pair.run(pair.host.negotiate(entry(ours))).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.message().contains("FIELD_TYPE greeter.v1.Text.text"), "{error}");

    let pair = serving(theirs);
    let client = <Greeter as codegen::Service>::client(codegen::Caller::client_of(&pair.host, ours));
    for _ in 0..2 {
        assert_eq!(pair.run(client.greet(text("x"))).unwrap_err().code(), Code::FailedPrecondition);
    }
    let error = pair.run(async { client.count(text("1")).await.map(drop) }).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
}

#[test]
fn a_schema_that_fits_is_checked_once_by_its_first_calls() {
    let ours = greeter_by(&Schema::new(), "bb");
    let pair = serving(greeter_by(&Schema::new(), "aa"));
    let client = <Greeter as codegen::Service>::client(codegen::Caller::client_of(&pair.host, ours));
    let calls = (0..3).map(|_| client.greet(text("x")));
    for answer in pair.run(futures_util::future::join_all(calls)) {
        assert_eq!(answer.unwrap(), text("Hello, x!"));
    }
    let before = pair.moved();
    pair.run(client.greet(text("x"))).unwrap();
    assert!(pair.moved() - before < 100, "only the call itself goes over the wire");
}

#[test]
fn what_a_plugin_uses_is_checked_by_its_host() {
    let offered = greeter_by(&Schema::new(), "aa");
    let used = |schema: &Schema| {
        let host = RouterOptions { services: vec![Greeter::implement_as(offered, Plain)], ..Default::default() };
        let plugin = RouterOptions { uses: vec![entry(greeter_by(schema, "bb"))], ..Default::default() };
        Pair::new(PairOptions { host, plugin, ..PairOptions::default() })
    };
    let pair = used(&Schema::new());
    pair.run(pair.host.negotiate_uses()).unwrap();
    let pair = used(&Schema::new().with(|_, service| service.method[2].client_streaming = Some(false)));
    let error = pair.run(pair.host.negotiate_uses()).unwrap_err();
    assert!(error.message().contains("METHOD_KIND greeter.v1.GreeterService/Join"), "{error}");
    let pair = Pair::new(PairOptions {
        plugin: RouterOptions { uses: vec![entry(offered)], ..Default::default() },
        ..PairOptions::default()
    });
    pair.run(pair.host.negotiate_uses()).unwrap();
}

#[test]
fn a_service_that_is_expected_and_not_served_is_unimplemented() {
    let pair = serving(&GREETER);
    let missing = Arc::new(ServiceEntry { name: "other.v1.Other".into(), ..ServiceEntry::default() });
    let error = pair.run(pair.host.negotiate(missing)).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.message().contains("it serves greeter.v1.GreeterService"), "{error}");
}

#[test]
fn descriptors_of_a_name_that_is_neither_served_nor_used_are_not_found() {
    let pair = serving(greeter_by(&Schema::new(), "aa"));
    let ask = |name: &str| {
        let payload = [b"\x0a".as_slice(), &[name.len() as u8], name.as_bytes()].concat();
        pair.run(pair.host.unary(RawRequest { payload: &payload, ..RawRequest::default() }).unwrap())
    };
    assert!(!ask(SERVICE).unwrap().message.is_empty());
    let error = ask("x.Y").unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "x.Y is neither served nor used here"));
}

#[test]
fn a_service_is_implemented_once() {
    let services = vec![Greeter::implement(Plain), Greeter::implement(Plain)];
    let error = anyplug_core::Router::new(RouterOptions { services, ..Default::default() }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("implemented twice"), "{error}");
    assert_eq!(pair_of_nothing().host.router().services().len(), 1);
}

fn pair_of_nothing() -> Pair {
    let pair = Pair::new(PairOptions::default());
    let _ = GreeterClient::new(&pair.host);
    pair
}
