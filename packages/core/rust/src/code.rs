//! The sixteen codes: how a call or a connection can fail.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// How a call or a connection failed. The codes and their numbers are those of gRPC and Connect; the set is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Code {
            /// All sixteen codes, in the order of their numbers.
            pub const ALL: [Code; 16] = [$(Code::$variant),*];

            /// The name without prefix, as in the schema: `"NOT_FOUND"`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    /// The caller gave up, or the host cancelled the call.
    Cancelled = 1, "CANCELLED";
    /// A failure that fits no other code, or a code that this version does not know.
    Unknown = 2, "UNKNOWN";
    /// The request is wrong in itself, whatever the state of the callee.
    InvalidArgument = 3, "INVALID_ARGUMENT";
    /// The remaining time ran out before the call ended.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED";
    /// What was asked for does not exist.
    NotFound = 5, "NOT_FOUND";
    /// What was to be created exists.
    AlreadyExists = 6, "ALREADY_EXISTS";
    /// The caller is known and may not do this.
    PermissionDenied = 7, "PERMISSION_DENIED";
    /// A limit was reached: message size, buffered bytes, pending requests, or one of the callee's own.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED";
    /// The callee is not in the state that the call needs; a retry alone does not help.
    FailedPrecondition = 9, "FAILED_PRECONDITION";
    /// A conflict, such as a lost race; a retry at a higher level may help.
    Aborted = 10, "ABORTED";
    /// Past the valid range, where a later state may make it valid.
    OutOfRange = 11, "OUT_OF_RANGE";
    /// The callee has no such service or method.
    Unimplemented = 12, "UNIMPLEMENTED";
    /// A defect: an invariant does not hold, a handler panicked, or a peer broke the protocol.
    Internal = 13, "INTERNAL";
    /// The callee cannot be reached now: it died, is draining, or the connection ended.
    Unavailable = 14, "UNAVAILABLE";
    /// Data was lost or is corrupt.
    DataLoss = 15, "DATA_LOSS";
    /// The caller is not known.
    Unauthenticated = 16, "UNAUTHENTICATED";
}

impl Code {
    /// The number on the wire, 1 to 16.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code of a number on the wire; none for 0 (success) and for numbers that this version does not know.
    pub fn from_number(number: i32) -> Option<Code> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        Code::ALL.get(index).copied()
    }

    /// The code of a name such as `"NOT_FOUND"`.
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn numbers_and_names_lead_back_to_their_code() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code.number(), index as i32 + 1);
            assert_eq!(Code::from_number(code.number()), Some(code));
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
        for number in [0, 17, -1, i32::MAX, i32::MIN] {
            assert_eq!(Code::from_number(number), None);
        }
        assert_eq!(Code::from_name("OK"), None);
    }
}
