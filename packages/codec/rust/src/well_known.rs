//! The well-known types that `prost_types` has, with this codec: prost's own drops -0.0 and refuses what others take for unknown.

use prost_types::{Any, Duration, FieldMask, ListValue, Struct, Timestamp, Value, value};

use crate::{
    Bool, Bytes, Choice, Double, Enum, Fields, Int32, Int64, List, Map, Plain, Reader, Sizes, Sub, Text, Writer,
};

crate::fields! {
    Timestamp {
        1 => seconds: Plain<Int64>,
        2 => nanos: Plain<Int32>,
    }
}

crate::fields! {
    Duration {
        1 => seconds: Plain<Int64>,
        2 => nanos: Plain<Int32>,
    }
}

crate::fields! {
    Any {
        1 => type_url: Plain<Text>,
        2 => value: Plain<Bytes>,
    }
}

crate::fields! {
    FieldMask {
        1 => paths: List<Text>,
    }
}

crate::fields! {
    Struct {
        1 => fields: Map<Text, Sub<Value>>,
    }
}

crate::fields! {
    ListValue {
        1 => values: List<Sub<Value>>,
    }
}

crate::fields! {
    Value {
        1 | 2 | 3 | 4 | 5 | 6 => kind: Choice<value::Kind>,
    }
}

crate::oneof! {
    value::Kind {
        1 => NullValue: Enum,
        2 => NumberValue: Double,
        3 => StringValue: Text,
        4 => BoolValue: Bool,
        5 => StructValue: Sub<Struct>,
        6 => ListValue: Sub<ListValue>,
    }
}

/// `google.protobuf.Empty`
impl Fields for () {
    const NAME: &'static str = "Empty";

    const MEMBERS: &'static [(u32, &'static str)] = &[];

    fn size(&self, _: &mut Sizes) -> usize {
        0
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&mut self, _: u32, _: &mut Reader<'_>) -> Result<bool, prost::DecodeError> {
        Ok(false)
    }
}
