//! The messages of the protocol.

use anyplug_core::{Any, CallHeader, Code, LogRecord, Metadata, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;

fn metadata() -> impl Strategy<Value = Metadata> {
    vec(("[a-z0-9_.-]{1,8}", ".{0,12}"), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn header() -> impl Strategy<Value = CallHeader> {
    (any::<Option<u32>>(), metadata(), ".{0,20}", ".{0,10}", vec(".{0,8}", 0..4)).prop_map(
        |(timeout_ms, metadata, traceparent, tracestate, origin)| CallHeader {
            timeout_ms,
            metadata,
            traceparent,
            tracestate,
            origin,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let detail = (".{0,10}", vec(any::<u8>(), 0..10)).prop_map(|(type_url, value)| Any { type_url, value });
    (proptest::option::of(proptest::sample::select(&Code::ALL[..])), ".{0,40}", vec(detail, 0..3), metadata()).prop_map(
        |(code, message, details, metadata)| match code {
            // Success has neither message nor details.
            None => Status { metadata, ..Status::ok() },
            code => Status { code, message, details, metadata },
        },
    )
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn headers_come_back_as_they_were(header in header()) {
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        prop_assert_eq!(CallHeader::decode(&bytes).unwrap(), header);
    }

    #[test]
    fn statuses_come_back_as_they_were(status in status()) {
        let mut bytes = Vec::new();
        status.encode(&mut bytes);
        prop_assert_eq!(Status::decode(&bytes).unwrap(), status.clone());
        let again = match status.clone().into_result() {
            Ok(metadata) => Status { metadata, ..Status::ok() },
            Err(error) => Status::from(error),
        };
        prop_assert_eq!(again, status);
    }

    #[test]
    fn random_bytes_are_parsed_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = (CallHeader::decode(&bytes), Status::decode(&bytes), LogRecord::decode(&bytes));
    }

    #[test]
    fn a_status_of_any_size_fits_in_a_frame(length in 0usize..200_000) {
        let mut bytes = Vec::new();
        Status::new(Code::Internal, "ü".repeat(length)).encode(&mut bytes);
        prop_assert!(bytes.len() <= 65_536);
        prop_assert_eq!(Status::decode(&bytes).unwrap().code, Some(Code::Internal));
    }
}
