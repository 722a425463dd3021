//! How JSON is read and written. The names are the same in all three languages.

/// How JSON is read. Both spellings of a field's name are taken, whatever the options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonReadOptions {
    /// Skip members that the message has no field for, and names that an enum does not have. Default: they are refused.
    pub ignore_unknown_members: bool,
}

/// How JSON is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonWriteOptions {
    /// Names as in the schema, `user_name`, instead of `userName`.
    pub proto_field_names: bool,
    /// Print fields that hold their default and have no presence, empty lists and maps too. Default: they are left out.
    pub print_defaults: bool,
    /// Enum values as numbers instead of names.
    pub enums_as_integers: bool,
}
