//! The one error type.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::code::Code;
use crate::header::Metadata;

/// A typed detail of an error: the name of a message type and its bytes.
pub type Any = prost_types::Any;

/// What every fallible function of anyplug returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: one of the sixteen codes and a message that says what was wrong, where, and what to do; with typed details and
/// metadata where the callee sent them.
///
/// ```
/// use anyplug_core::{Code, Error};
///
/// let error = Error::not_found("no session \"s1\": it ended, start another");
/// assert_eq!(error.code(), Code::NotFound);
/// assert_eq!(error.to_string(), "NOT_FOUND: no session \"s1\": it ended, start another");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<Any>,
    metadata: Metadata,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());

macro_rules! constructors {
    ($($name:ident => $code:ident;)*) => {
        $(
            #[doc = concat!("A failure with the code [`", stringify!($code), "`](Code::", stringify!($code), ").")]
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(Code::$code, message)
            }
        )*
    };
}

impl Error {
    /// A failure with this code and message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            details: Vec::new(),
            metadata: Metadata::new(),
            source: None,
        }))
    }

    constructors! {
        cancelled => Cancelled;
        unknown => Unknown;
        invalid_argument => InvalidArgument;
        deadline_exceeded => DeadlineExceeded;
        not_found => NotFound;
        already_exists => AlreadyExists;
        permission_denied => PermissionDenied;
        resource_exhausted => ResourceExhausted;
        failed_precondition => FailedPrecondition;
        aborted => Aborted;
        out_of_range => OutOfRange;
        unimplemented => Unimplemented;
        internal => Internal;
        unavailable => Unavailable;
        data_loss => DataLoss;
        unauthenticated => Unauthenticated;
    }

    /// Which of the sixteen failures it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// For a person: what was wrong, where, and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// For a program: typed details, in the callee's order.
    pub fn details(&self) -> &[Any] {
        &self.0.details
    }

    /// The first detail that is a `M`, decoded; none where there is no such detail or its bytes are not one.
    pub fn detail<M: prost::Message + prost::Name + Default>(&self) -> Option<M> {
        self.0.details.iter().find_map(|any| any.to_msg::<M>().ok())
    }

    /// Metadata that the callee sent with the failure.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// The same failure with the words that `change` makes of its message.
    #[must_use]
    pub fn map_message(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.0.message = Cow::Owned(change(&self.0.message));
        self
    }

    /// Adds a typed detail.
    #[must_use]
    pub fn with_detail(mut self, detail: Any) -> Self {
        self.0.details.push(detail);
        self
    }

    /// Adds a message as a typed detail, under the type URL of its schema.
    #[must_use]
    pub fn with_message<M: prost::Message + prost::Name>(self, message: &M) -> Self {
        self.with_detail(Any { type_url: M::type_url(), value: message.encode_to_vec() })
    }

    /// Adds the metadata that goes to the caller with the failure, in place of what it had.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// Adds metadata that goes to the caller with the failure, after what it has.
    #[must_use]
    pub fn with_trailer(mut self, trailer: Metadata) -> Self {
        trailer.into_iter().for_each(|(key, value)| self.0.metadata.append(key, value));
        self
    }

    /// Names the cause; it stays in this process and is never sent to a peer.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.message.is_empty() {
            return f.write_str(self.0.code.name());
        }
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("code", &self.0.code).field("message", &self.0.message);
        if !self.0.details.is_empty() {
            out.field("details", &self.0.details);
        }
        if !self.0.metadata.is_empty() {
            out.field("metadata", &self.0.metadata);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Error::new(code, "")
    }
}
