/** How JSON is read and written. The names are the same in all three languages. */

/** How JSON is read. Both spellings of a field's name are taken, whatever the options. */
export interface JsonReadOptions {
  /** Skip members that the message has no field for, and names that an enum does not have. Default: they are refused. */
  readonly ignoreUnknownMembers?: boolean | undefined;
}

/** How JSON is written. */
export interface JsonWriteOptions {
  /** Names as in the schema, `user_name`, instead of `userName`. */
  readonly protoFieldNames?: boolean | undefined;
  /** Print fields that hold their default and have no presence, empty lists and maps too. Default: they are left out. */
  readonly printDefaults?: boolean | undefined;
  /** Enum values as numbers instead of names. */
  readonly enumsAsIntegers?: boolean | undefined;
}
