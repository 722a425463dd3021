//! What the generated code says of its messages: the fields by their numbers, the members that hold them, and of what kind they are.

/// Gives a struct its codec, and prost's `Message` by it.
///
/// ```
/// #[derive(Clone, Debug, Default, PartialEq)]
/// pub struct Item {
///     pub name: String,
///     pub prices: Vec<i64>,
/// }
///
/// anyplug_codec::message! {
///     Item {
///         1 => name: anyplug_codec::Plain<anyplug_codec::Text>,
///         2 => prices: anyplug_codec::Packed<anyplug_codec::Int64>,
///     }
/// }
///
/// use prost::Message;
/// let item = Item { name: "pen".into(), prices: vec![1, 150] };
/// assert_eq!(item.encode_to_vec(), b"\x0a\x03pen\x12\x03\x01\x96\x01");
/// assert_eq!(Item::decode(&*item.encode_to_vec())?, item);
/// # Ok::<(), prost::DecodeError>(())
/// ```
#[macro_export]
macro_rules! message {
    ($type:ident $(keeping $unknown:ident)? { $($fields:tt)* }) => {
        $crate::fields! { $type $(keeping $unknown)? { $($fields)* } }

        impl $crate::prost::Message for $type {
            fn encode_raw(&self, buffer: &mut impl $crate::prost::bytes::BufMut) {
                buffer.put_slice(&$crate::encode(self));
            }

            fn merge_field(
                &mut self,
                number: u32,
                wire_type: $crate::prost::encoding::WireType,
                buffer: &mut impl $crate::prost::bytes::Buf,
                _: $crate::prost::encoding::DecodeContext,
            ) -> ::core::result::Result<(), $crate::prost::DecodeError> {
                $crate::merge_field(self, number, wire_type, buffer)
            }

            fn encoded_len(&self) -> usize {
                $crate::encoded_len(self)
            }

            fn encode_to_vec(&self) -> ::std::vec::Vec<u8> {
                $crate::encode(self)
            }

            fn encode_length_delimited_to_vec(&self) -> ::std::vec::Vec<u8> {
                $crate::encode_length_delimited(self)
            }

            fn merge(
                &mut self,
                buffer: impl $crate::prost::bytes::Buf,
            ) -> ::core::result::Result<(), $crate::prost::DecodeError> {
                $crate::merge(self, buffer)
            }

            fn merge_length_delimited(
                &mut self,
                buffer: impl $crate::prost::bytes::Buf,
            ) -> ::core::result::Result<(), $crate::prost::DecodeError> {
                $crate::merge_length_delimited(self, buffer)
            }

            fn clear(&mut self) {
                *self = ::core::default::Default::default();
            }
        }
    };
}

/// Gives a struct its codec, without prost's `Message`.
#[doc(hidden)]
#[macro_export]
macro_rules! fields {
    ($type:ident $(keeping $unknown:ident)? { $($fields:tt)* }) => {
        $crate::fields! { @impl $type, stringify!($type), [$($unknown)?] { $($fields)* } }
    };
    (@impl $type:ty, $name:expr, [$($unknown:ident)?] {
        $($first:literal $(| $more:literal)* => $member:ident: $field:ty,)*
    }) => {
        impl $crate::Fields for $type {
            const NAME: &'static str = $name;

            const MEMBERS: &'static [(u32, &'static str)] =
                &[$(($first, stringify!($member)), $(($more, stringify!($member)),)*)*];

            fn size(&self, sizes: &mut $crate::Sizes) -> usize {
                let _ = &sizes;
                0 $(+ <$field as $crate::Field>::size(&self.$member, $first, sizes))*
                    $(+ self.$unknown.as_bytes().len())?
            }

            fn write(&self, writer: &mut $crate::Writer) {
                let _ = &writer;
                $(<$field as $crate::Field>::write(&self.$member, $first, writer);)*
                $(writer.unknown(&self.$unknown);)?
            }

            #[inline]
            #[allow(clippy::manual_range_patterns)]
            fn read(
                &mut self,
                tag: u32,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::result::Result<bool, $crate::prost::DecodeError> {
                let _ = &reader;
                match tag >> 3 {
                    $($first $(| $more)* => <$field as $crate::Field>::read(&mut self.$member, tag, reader),)*
                    _ => ::core::result::Result::Ok(false),
                }
            }

            $(fn keep(&mut self, field: &[u8]) {
                self.$unknown.push(field);
            })?
        }
    };
}

/// Gives the enum of a oneof its codec.
#[macro_export]
macro_rules! oneof {
    ($type:path { $($number:literal => $choice:ident: $kind:ty,)* }) => {
        impl $crate::Choices for $type {
            fn size(&self, sizes: &mut $crate::Sizes) -> usize {
                match self {
                    $(Self::$choice(value) => $crate::choice_size::<$kind>(value, $number, sizes),)*
                }
            }

            fn write(&self, writer: &mut $crate::Writer) {
                match self {
                    $(Self::$choice(value) => $crate::write_choice::<$kind>(value, $number, writer),)*
                }
            }

            fn read(
                member: &mut ::core::option::Option<Self>,
                tag: u32,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::result::Result<bool, $crate::prost::DecodeError> {
                match tag {
                    $(tag if tag == $number << 3 | <$kind as $crate::Kind>::WIRE_TYPE => {
                        if let ::core::option::Option::Some(Self::$choice(value)) = member {
                            <$kind as $crate::Kind>::merge(value, reader)?;
                        } else {
                            let mut value = ::core::default::Default::default();
                            <$kind as $crate::Kind>::merge(&mut value, reader)?;
                            *member = ::core::option::Option::Some(Self::$choice(value));
                        }
                        ::core::result::Result::Ok(true)
                    })*
                    _ => ::core::result::Result::Ok(false),
                }
            }
        }
    };
}

/// Gives an enum its numbers and the names of its values in the schema. After `also` come constants for values that have the number of another.
#[macro_export]
macro_rules! enumeration {
    ($type:ident { $($value:ident = $number:literal => $name:literal,)* } $(also { $($alias:ident => $other:literal,)* })?) => {
        #[allow(deprecated)]
        impl $type {
            /// The name of the value in the schema.
            pub fn as_str_name(&self) -> &'static str {
                match self {
                    $(Self::$value => $name,)*
                }
            }

            /// The value that has this name in the schema.
            pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
                match value {
                    $($name => ::core::option::Option::Some(Self::$value),)*
                    $($($other => ::core::option::Option::Some(Self::$alias),)*)?
                    _ => ::core::option::Option::None,
                }
            }

            /// Whether a value has this number.
            pub const fn is_valid(value: i32) -> bool {
                matches!(value, $($number)|*)
            }
        }

        impl ::core::convert::From<$type> for i32 {
            fn from(value: $type) -> i32 {
                value as i32
            }
        }

        #[allow(deprecated)]
        impl ::core::convert::TryFrom<i32> for $type {
            type Error = $crate::prost::UnknownEnumValue;

            fn try_from(value: i32) -> ::core::result::Result<Self, $crate::prost::UnknownEnumValue> {
                match value {
                    $($number => ::core::result::Result::Ok(Self::$value),)*
                    _ => ::core::result::Result::Err($crate::prost::UnknownEnumValue(value)),
                }
            }
        }
    };
}
