//! Messages as a user of prost sees them: what `test/vectors` and the conformance suite do not reach.

#![allow(missing_docs, clippy::unwrap_used, reason = "the messages of a test")]

use std::collections::BTreeMap;

use anyplug_codec::{
    Boxed, Bytes, Choice, Double, Enum, Foreign, Int32, List, MAX_DEPTH, Map, Optional, Packed, Plain, Sub, Text,
    UnknownFields,
};
use prost::Message;
use prost::bytes::Buf;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
enum Color {
    #[default]
    Red = 0,
    Error = -1,
}

impl Color {
    #[allow(non_upper_case_globals)]
    const Crimson: Self = Self::Red;
}

anyplug_codec::enumeration! {
    Color {
        Red = 0 => "COLOR_RED",
        Error = -1 => "COLOR_ERROR",
    }
    also {
        Crimson => "COLOR_CRIMSON",
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Side(i32),
    Node(Box<Node>),
}

anyplug_codec::oneof! {
    Shape {
        6 => Side: Int32,
        7 => Node: Boxed<Sub<Node>>,
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    name: String,
    color: i32,
    next: Option<Box<Node>>,
    parts: Vec<Node>,
    shape: Option<Shape>,
    weight: f64,
    by_key: BTreeMap<String, Node>,
    counts: Vec<i32>,
    data: Option<Vec<u8>>,
}

anyplug_codec::message! {
    Node {
        1 => name: Plain<Text>,
        2 => color: Plain<Enum>,
        3 => next: Optional<Boxed<Sub<Node>>>,
        4 => parts: List<Sub<Node>>,
        6 | 7 => shape: Choice<Shape>,
        8 => weight: Plain<Double>,
        9 => by_key: Map<Text, Sub<Node>>,
        10 => counts: Packed<Int32>,
        11 => data: Optional<Bytes>,
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Keeping {
    name: String,
    counts: BTreeMap<i32, i32>,
    unknown_fields: UnknownFields,
}

anyplug_codec::message! {
    Keeping keeping unknown_fields {
        1 => name: Plain<Text>,
        2 => counts: Map<Int32, Int32>,
    }
}

/// A message by prost's derive that holds one of ours, and one of ours that holds it.
#[derive(Clone, PartialEq, Message)]
struct Derived {
    #[prost(message, optional, tag = "1")]
    keeping: Option<Keeping>,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Outer {
    derived: Option<Derived>,
}

anyplug_codec::message! {
    Outer {
        1 => derived: Optional<Foreign<Derived>>,
    }
}

fn node(name: &str) -> Node {
    Node { name: name.into(), ..Node::default() }
}

fn tree() -> Node {
    let parts =
        (0..40).map(|index| Node { counts: vec![index, -1, 1 << 20], ..node(&format!("part {index}")) }).collect();
    let next = Node { parts, shape: Some(Shape::Node(Box::new(node("chosen")))), weight: -0.0, ..node("next") };
    let by_key = BTreeMap::from([(String::new(), Node::default()), ("a".into(), next.clone())]);
    Node { next: Some(Box::new(next)), by_key, data: Some(vec![0; 300]), color: 7, ..node("root") }
}

#[test]
fn many_nested_messages_come_back_and_are_as_long_as_is_said() {
    let tree = tree();
    let bytes = tree.encode_to_vec();
    assert_eq!(bytes.len(), tree.encoded_len());
    let back = Node::decode(&*bytes).unwrap();
    assert_eq!(back, tree);
    assert!(back.next.unwrap().weight.is_sign_negative());
}

#[test]
fn every_way_in_and_out_that_prost_has_gives_the_same() {
    let tree = tree();
    let bytes = tree.encode_to_vec();
    let mut encoded = Vec::new();
    tree.encode(&mut encoded).unwrap();
    assert_eq!(encoded, bytes);
    let delimited = tree.encode_length_delimited_to_vec();
    let mut also = Vec::new();
    tree.encode_length_delimited(&mut also).unwrap();
    assert_eq!(delimited, also);
    let mut two = delimited.iter().chain(&delimited).copied().collect::<Vec<_>>();
    two.push(9);
    let mut rest = &*two;
    assert_eq!(Node::decode_length_delimited(&mut rest).unwrap(), tree);
    assert_eq!(Node::decode_length_delimited(&mut rest).unwrap(), tree);
    assert_eq!(rest, [9]);
    assert!(Node::decode_length_delimited(&delimited[..9]).is_err());
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    assert_eq!(Node::decode(head.chain(tail)).unwrap(), tree);
    let mut cleared = tree;
    cleared.clear();
    assert_eq!(cleared, Node::default());
}

#[test]
fn parts_of_a_message_are_merged_and_the_last_choice_wins() {
    let first = Node { next: Some(Box::new(node("a"))), shape: Some(Shape::Side(1)), ..Node::default() };
    let second = Node { next: Some(Box::new(Node { color: 1, ..Node::default() })), ..Node::default() };
    let third = Node { shape: Some(Shape::Node(Box::new(node("b")))), ..Node::default() };
    let fourth = Node { shape: Some(Shape::Node(Box::new(Node { color: 2, ..Node::default() }))), ..Node::default() };
    let bytes = [first, second, third, fourth].map(|part| part.encode_to_vec()).concat();
    let all = Node::decode(&*bytes).unwrap();
    assert_eq!(*all.next.unwrap(), Node { color: 1, ..node("a") });
    assert_eq!(all.shape, Some(Shape::Node(Box::new(Node { color: 2, ..node("b") }))));
}

/// Field 9 as a varint, 10 as a group with a varint, field 1 as a number: nothing that Keeping knows.
const UNKNOWN: &[u8] = b"\x48\x05\x53\x08\x01\x54\x08\x07";

#[test]
fn fields_of_later_versions_are_kept_where_there_is_a_place() {
    let bytes = [UNKNOWN, b"\x0a\x01x", UNKNOWN].concat();
    let keeping = Keeping::decode(&*bytes).unwrap();
    assert_eq!((&*keeping.name, keeping.unknown_fields.as_bytes()), ("x", &*[UNKNOWN, UNKNOWN].concat()));
    assert_eq!(keeping.encode_to_vec(), [b"\x0a\x01x", UNKNOWN, UNKNOWN].concat());
    assert!(!keeping.unknown_fields.is_empty());
    assert_eq!(Node::decode(b"\xa0\x06\x01".as_slice()).unwrap(), Node::default());
}

#[test]
fn an_entry_with_a_field_too_many_is_an_unknown_field() {
    let bytes = b"\x12\x06\x08\x01\x10\x02\x18\x03\x12\x04\x08\x04\x10\x05";
    let keeping = Keeping::decode(&bytes[..]).unwrap();
    assert_eq!((keeping.counts, keeping.unknown_fields.as_bytes()), (BTreeMap::from([(4, 5)]), &bytes[..8]));
    assert!(Keeping::decode(&b"\x12\x04\x18\x03\x10\x80"[..]).is_err(), "the rest of it has to be an entry");
}

#[test]
fn messages_of_prost_hold_ours_and_ours_hold_those() {
    let mut keeping = Keeping { name: "x".into(), ..Keeping::default() };
    keeping.merge(UNKNOWN).unwrap();
    let outer = Outer { derived: Some(Derived { keeping: Some(keeping), name: "y".into() }) };
    let bytes = outer.encode_to_vec();
    assert_eq!(Outer::decode(&*bytes).unwrap(), outer);
    let derived = outer.derived.unwrap();
    let inner = derived.encode_to_vec();
    for at in 0..inner.len() {
        let (head, tail) = inner.split_at(at);
        assert_eq!(Derived::decode(head.chain(tail)).unwrap(), derived);
        assert!(at == 0 || Derived::decode(head).is_err() || head.len() == inner.len() - 3);
    }
}

#[test]
fn an_error_names_the_field_and_the_byte() {
    let error = Node::decode(b"\x1a\x06\x22\x04\x0a\x02\xc3\x28".as_slice()).unwrap_err().to_string();
    // The innermost first, as prost has it.
    assert_eq!(
        error,
        "failed to decode Protobuf message: Node.name: Node.parts: Node.next: text that is not UTF-8 at byte 6"
    );
    for bytes in [
        &b"\x0a"[..],
        b"\x0a\x05ab",
        b"\x41\0",
        b"\x00\x00",
        b"\x8a\x80\x80\x80\x80\x00\x00",
        b"\x0c",
        b"\x0b",
        b"\x0e",
    ] {
        assert!(Node::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_also_in_groups() {
    let nested =
        |depth| (0..depth).fold(Node::default(), |inner, _| Node { next: Some(Box::new(inner)), ..Node::default() });
    assert!(Node::decode(&*nested(MAX_DEPTH).encode_to_vec()).is_ok());
    let error = Node::decode(&*nested(MAX_DEPTH + 1).encode_to_vec()).unwrap_err();
    assert!(error.to_string().ends_with("messages are nested more than 100 deep"), "{error}");
    let groups = [[0xa3, 6].repeat(101), [0xa4, 6].repeat(101)].concat();
    assert!(Node::decode(&*groups).is_err());
    assert!(Derived::decode(&*[&b"\x0a\xff\x7f"[..], &groups].concat()).is_err());
}

#[test]
fn enums_are_read_by_number_and_by_name() {
    assert_eq!(Color::try_from(-1), Ok(Color::Error));
    assert_eq!(Color::try_from(5), Err(prost::UnknownEnumValue(5)));
    assert_eq!((i32::from(Color::Error), Color::is_valid(-1), Color::is_valid(5)), (-1, true, false));
    assert_eq!(Color::from_str_name("COLOR_CRIMSON"), Some(Color::Red));
    assert_eq!((Color::from_str_name("RED"), Color::Crimson.as_str_name()), (None, "COLOR_RED"));
    let shown = |number| format!("{:?}", anyplug_codec::named::<Color, _>(&vec![number]));
    assert_eq!((shown(-1), shown(7)), ("[Error]".into(), "[7]".into()));
    let map = BTreeMap::from([("k", 0)]);
    assert_eq!(format!("{:?}", anyplug_codec::named::<Color, _>(&map)), r#"{"k": Red}"#);
    assert_eq!(format!("{:?}", anyplug_codec::named::<Color, _>(&Some(0))), "Some(Red)");
}
