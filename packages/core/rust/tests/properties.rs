//! Properties of the parsers and of two sessions that talk to each other, whatever the bytes, the chunks and the order of things.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by a panic")]

use std::collections::BTreeMap;

use anyplug_core::frame::{Decoder, FLAG_END, FLAG_HEADER, FRAME_HEADER_BYTES, FrameHeader, Kind};
use anyplug_core::hello::HelloOptions;
use anyplug_core::session::{Event, Request, SessionOptions};
use anyplug_core::{
    Any, CallHeader, Code, LimitOptions, LogRecord, Metadata, MethodEntry, MethodKind, Role, ServiceEntry, Session,
    Status,
};
use proptest::collection::vec;
use proptest::prelude::*;

// --- frames --------------------------------------------------------------------------------------

fn frame_bytes(kind: u8, flags: u8, method: u16, call: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { length: payload.len() as u32, kind, flags, method, call };
    [&header.encode()[..], payload].concat()
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), any::<u8>(), any::<u16>(), any::<u32>(), vec(any::<u8>(), 0..300))
        .prop_map(|(kind, flags, method, call, payload)| frame_bytes(kind, flags, method, call, &payload))
}

/// Frames with their offsets, the error after them, and how many bytes are left.
type Decoded = (Vec<(FrameHeader, Vec<u8>, u64)>, Option<Code>, usize);

/// The frames of a stream that arrives in pieces of these sizes, over and over.
fn decode(input: &[u8], sizes: &[usize], max_frame_bytes: u32) -> Decoded {
    let mut decoder = Decoder::new(max_frame_bytes, 0);
    let (mut frames, mut at, mut turn) = (Vec::new(), 0, 0);
    while at < input.len() {
        let size = sizes[turn % sizes.len()].max(1).min(input.len() - at);
        let mut part = &input[at..at + size];
        (at, turn) = (at + size, turn + 1);
        loop {
            match decoder.next(&mut part) {
                Ok(Some(frame)) => frames.push((frame.header, frame.payload.as_slice().to_vec(), frame.offset)),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.code()), 0),
            }
        }
    }
    (frames, None, decoder.pending_bytes())
}

fn config(cases: u32) -> ProptestConfig {
    // Findings become tests or vectors, not files beside the tests.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn frames_do_not_depend_on_the_chunks_they_come_in(
        frames in vec(any_frame(), 0..8),
        rest in vec(any::<u8>(), 0..11),
        sizes in vec(1usize..400, 1..6),
    ) {
        let mut input = frames.concat();
        let offsets: Vec<_> = frames.iter().scan(0, |at, frame| { *at += frame.len(); Some((*at - frame.len()) as u64) }).collect();
        input.extend_from_slice(&rest);
        let whole = decode(&input, &[usize::MAX], 300);
        prop_assert_eq!(&decode(&input, &sizes, 300), &whole);
        prop_assert_eq!(whole.0.iter().map(|frame| frame.2).collect::<Vec<_>>(), offsets);
        prop_assert_eq!(whole.2, rest.len());
        for ((header, payload, _), bytes) in whole.0.iter().zip(&frames) {
            prop_assert_eq!(header.flags & !(FLAG_END | FLAG_HEADER), 0);
            prop_assert_eq!(payload.as_slice(), &bytes[FRAME_HEADER_BYTES..]);
        }
    }

    #[test]
    fn random_bytes_give_frames_or_an_error_and_claim_no_more_than_they_are(input in vec(any::<u8>(), 0..2_000), sizes in vec(1usize..50, 1..4)) {
        let (frames, error, rest) = decode(&input, &sizes, 1 << 20);
        prop_assert_eq!(&(frames.clone(), error, rest), &decode(&input, &[usize::MAX], 1 << 20));
        let taken: usize = frames.iter().map(|(_, payload, _)| FRAME_HEADER_BYTES + payload.len()).sum();
        if error.is_none() {
            prop_assert_eq!(taken + rest, input.len());
        }
    }
}

// --- messages ------------------------------------------------------------------------------------

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

// --- sessions ------------------------------------------------------------------------------------

const SERVICE: &str = "demo.v1.DemoService";

fn session(role: Role, limits: LimitOptions) -> Session {
    let service = |name: &'static str, methods: &[&'static str]| ServiceEntry {
        name: name.into(),
        methods: methods.iter().map(|method| MethodEntry::new(*method, MethodKind::BidiStream)).collect(),
        ..ServiceEntry::default()
    };
    let services =
        vec![service("anyplug.reflection.v1.ReflectionService", &["GetDescriptors"]), service(SERVICE, &["A", "B"])];
    Session::new(SessionOptions { role, hello: HelloOptions { services, ..HelloOptions::default() }, limits }).unwrap()
}

/// What a random test does next; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Request { side: bool, end: bool, size: usize },
    Send { side: bool, which: usize, size: usize, last: bool },
    HalfClose { side: bool, which: usize },
    End { side: bool, which: usize, fails: bool },
    Cancel { side: bool, which: usize },
    Read { side: bool, count: usize },
    Move { side: bool, size: usize },
    Ping { side: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let side = || any::<bool>();
    prop_oneof![
        2 => (side(), any::<bool>(), 0usize..400).prop_map(|(side, end, size)| Step::Request { side, end, size }),
        6 => (side(), any::<usize>(), 0usize..400, proptest::bool::weighted(0.15))
            .prop_map(|(side, which, size, last)| Step::Send { side, which, size, last }),
        1 => (side(), any::<usize>()).prop_map(|(side, which)| Step::HalfClose { side, which }),
        1 => (side(), any::<usize>(), any::<bool>()).prop_map(|(side, which, fails)| Step::End { side, which, fails }),
        1 => (side(), any::<usize>()).prop_map(|(side, which)| Step::Cancel { side, which }),
        3 => (side(), 0usize..6).prop_map(|(side, count)| Step::Read { side, count }),
        6 => (side(), 1usize..600).prop_map(|(side, size)| Step::Move { side, size }),
        1 => side().prop_map(|side| Step::Ping { side }),
    ]
}

/// What a side knows of a call, from what it did and what it was told.
#[derive(Debug, Default)]
struct Known {
    is_callee: bool,
    sent: Vec<Vec<u8>>,
    received: Vec<Vec<u8>>,
    unread: Vec<usize>,
    sent_last: bool,
    /// It had no credit when it was asked; it is told when that changes.
    waits: bool,
    /// How the call ended; nothing may come after it.
    ended: Option<Option<Code>>,
}

struct Side {
    session: Session,
    calls: BTreeMap<u32, Known>,
    wire: Vec<u8>,
    pongs: usize,
    next: u8,
}

struct World {
    sides: [Side; 2],
}

impl World {
    fn new(limits: LimitOptions) -> Self {
        let side =
            |role| Side { session: session(role, limits), calls: BTreeMap::new(), wire: Vec::new(), pongs: 0, next: 0 };
        let mut world = Self { sides: [side(Role::Host), side(Role::Plugin)] };
        world.settle();
        world
    }

    fn payload(&mut self, side: usize, size: usize) -> Vec<u8> {
        let side = &mut self.sides[side];
        side.next = side.next.wrapping_add(1);
        vec![side.next; size]
    }

    fn choose(&self, side: usize, which: usize) -> Option<u32> {
        let open: Vec<_> =
            self.sides[side].calls.iter().filter(|(_, call)| call.ended.is_none()).map(|(id, _)| *id).collect();
        (!open.is_empty()).then(|| open[which % open.len()])
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Request { side, end, size } => self.request(usize::from(side), end, size),
            Step::Send { side, which, size, last } => self.send(usize::from(side), which, size, last),
            Step::HalfClose { side, which } => {
                let side = usize::from(side);
                if let Some(id) = self.choose(side, which)
                    && let Some(call) = self.sides[side].calls.get_mut(&id)
                    && !call.is_callee
                {
                    call.sent_last = true;
                    self.sides[side].session.half_close(id);
                }
            }
            Step::End { side, which, fails } => {
                let side = usize::from(side);
                if let Some(id) = self.choose(side, which)
                    && let Some(call) = self.sides[side].calls.get_mut(&id)
                    && call.is_callee
                {
                    let status = if fails { Status::new(Code::Aborted, "chosen") } else { Status::ok() };
                    call.ended = Some(status.code);
                    self.sides[side].session.end_call(id, &status);
                }
            }
            Step::Cancel { side, which } => {
                let side = usize::from(side);
                if let Some(id) = self.choose(side, which) {
                    self.sides[side].session.cancel(id, Status::new(Code::Cancelled, "chosen"));
                    self.events(side);
                }
            }
            Step::Read { side, count } => {
                let Side { session, calls, .. } = &mut self.sides[usize::from(side)];
                for (id, call) in calls {
                    let read: Vec<_> = call.unread.drain(..call.unread.len().min(count)).collect();
                    read.into_iter().for_each(|bytes| session.consume(*id, bytes));
                }
            }
            Step::Move { side, size } => self.carry(usize::from(side), size),
            Step::Ping { side } => self.sides[usize::from(side)].session.ping(b"?").unwrap(),
        }
    }

    fn request(&mut self, side: usize, end: bool, size: usize) {
        let payload = if end { self.payload(side, size) } else { Vec::new() };
        let Side { session, calls, .. } = &mut self.sides[side];
        match session.request(SERVICE, "A", Request { header: None, payload: &payload, end }) {
            Ok(id) => {
                let known =
                    Known { sent_last: end, sent: if end { vec![payload] } else { vec![] }, ..Known::default() };
                let before = calls.insert(id, known);
                assert!(before.is_none_or(|call| call.ended.is_some() && call.unread.is_empty()), "id {id} is in use");
            }
            Err(error) => assert_eq!(error.code(), Code::ResourceExhausted, "{error}"),
        }
    }

    fn send(&mut self, side: usize, which: usize, size: usize, last: bool) {
        let Some(id) = self.choose(side, which) else { return };
        let payload = self.payload(side, size);
        let Side { session, calls, .. } = &mut self.sides[side];
        let call = calls.get_mut(&id).unwrap();
        if call.sent_last {
            return;
        }
        call.waits = session.credit(id) == 0;
        if call.waits {
            let error = session.send_message(id, &payload, last, None).unwrap_err();
            assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
            if !session.is_open(id) {
                call.ended = Some(Some(Code::ResourceExhausted));
            }
            return;
        }
        match session.send_message(id, &payload, last, None) {
            Ok(()) => {
                call.sent.push(payload);
                call.sent_last = last;
                if last && call.is_callee {
                    call.ended = Some(None);
                }
            }
            // The one answer of a call into an output that is full.
            Err(error) => {
                assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
                call.ended = Some(Some(Code::ResourceExhausted));
            }
        }
    }

    /// Moves up to so many bytes from a side to the other.
    fn carry(&mut self, from: usize, size: usize) {
        let Side { session, wire, .. } = &mut self.sides[from];
        session.take_output(wire);
        let part: Vec<_> = wire.drain(..wire.len().min(size)).collect();
        self.events(from);
        self.sides[1 - from].session.receive(&part);
        self.events(1 - from);
    }

    fn events(&mut self, side: usize) {
        let Side { session, calls, pongs, .. } = &mut self.sides[side];
        while let Some(event) = session.next_event() {
            match event {
                Event::Hello { .. } => {}
                Event::Request { call, payload, end, .. } => {
                    let received = payload.into_iter().map(|payload| payload.to_vec()).collect();
                    assert_eq!(end, !Vec::is_empty(&received));
                    let before = calls.insert(call, Known { is_callee: true, received, ..Known::default() });
                    assert!(before.is_none_or(|call| call.ended.is_some()));
                }
                Event::Message { call, payload, end, held, .. } => {
                    let known = calls.get_mut(&call).unwrap();
                    assert!(known.ended.is_none(), "a message after the end of call {call}");
                    known.received.push(payload.to_vec());
                    if held {
                        known.unread.push(payload.len());
                    }
                    if end && !known.is_callee {
                        known.ended = Some(None);
                    }
                }
                Event::End { call, status } => {
                    let known = calls.get_mut(&call).unwrap();
                    assert!(known.ended.is_none());
                    if !known.is_callee {
                        known.ended = Some(status.code);
                    }
                }
                Event::Cancelled { call, status } => {
                    let known = calls.get_mut(&call).unwrap();
                    assert!(known.is_callee && known.ended.is_none() && status.code.is_some());
                    known.ended = Some(status.code);
                }
                // It may have no credit again by now; then asking has made it wait again.
                Event::Writable { call } => calls.get_mut(&call).unwrap().waits = session.credit(call) == 0,
                Event::Pong { payload } => {
                    assert_eq!(&payload[..], b"?");
                    *pongs += 1;
                }
                Event::Closed { status } => panic!("the connection ended: {status:?}"),
                other => panic!("{other:?}"),
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.carry(0, usize::MAX);
            self.carry(1, usize::MAX);
            if self.sides.iter().all(|side| side.wire.is_empty() && side.session.output_bytes() == 0) {
                return;
            }
        }
        panic!("the two sides talk without end");
    }

    /// What came is what was sent, in its order; all of it, where a call went through.
    fn check(&mut self) {
        for Side { session, calls, .. } in &mut self.sides {
            for (id, _) in calls.iter().filter(|(_, call)| call.waits) {
                assert_eq!(session.credit(*id), 0, "call {id} may send and was not told");
            }
        }
        for (side, other) in [(0, 1), (1, 0)] {
            for (id, call) in &self.sides[side].calls {
                let Some(theirs) = self.sides[other].calls.get(id) else {
                    assert!(call.received.is_empty());
                    continue;
                };
                assert!(
                    theirs.sent.starts_with(&call.received),
                    "call {id} received what was not sent, or in another order"
                );
                if !call.is_callee && call.ended == Some(None) {
                    assert_eq!(call.received, theirs.sent, "call {id} succeeded without all of its messages");
                }
                if let (false, Some(ended)) = (call.is_callee, theirs.ended)
                    && call.ended.is_none()
                {
                    panic!("call {id} has ended with {ended:?} at its callee only");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn two_sessions_agree_whatever_the_order(
        steps in vec(step(), 0..250),
        credit in prop_oneof![Just(None), (1u32..1_000).prop_map(Some)],
        buffer in prop_oneof![Just(None), (1usize..4_000).prop_map(Some)],
        pending in prop_oneof![Just(None), (1u32..10).prop_map(Some)],
    ) {
        let limits = LimitOptions { initial_credit_bytes: credit, max_buffer_bytes: buffer, max_pending_requests: pending, ..Default::default() };
        let mut world = World::new(limits);
        for step in &steps {
            world.run(step);
        }
        world.settle();
        world.check();
        let pings = steps.iter().filter(|step| matches!(step, Step::Ping { .. })).count();
        prop_assert_eq!(world.sides[0].pongs + world.sides[1].pongs, pings);
        // Everything ends, and nothing of it is left.
        for side in 0..2 {
            world.sides[side].session.drain();
            while let Some(id) = world.choose(side, 0) {
                world.sides[side].session.cancel(id, Status::new(Code::Cancelled, "over"));
                let Side { session, calls, .. } = &mut world.sides[side];
                while session.next_event().is_some() {}
                calls.get_mut(&id).unwrap().ended = Some(Some(Code::Cancelled));
            }
        }
        prop_assert!(world.sides.iter().all(|side| side.session.open_calls() == 0 || side.session.output_bytes() > 0));
    }

    #[test]
    fn random_bytes_after_hello_never_panic_and_chunks_do_not_matter(
        frames in vec((0u8..12, any::<u8>(), 0u16..4, 0u32..6, vec(any::<u8>(), 0..40)), 0..12),
        noise in vec(any::<u8>(), 0..40),
        size in 1usize..50,
    ) {
        let mut bytes: Vec<u8> = frames.iter().flat_map(|(kind, flags, method, call, payload)| frame_bytes(*kind, *flags, *method, *call, payload)).collect();
        bytes.extend_from_slice(&noise);
        let feed = |size: usize| {
            let (mut host, mut plugin, mut hello) = (session(Role::Host, Default::default()), session(Role::Plugin, Default::default()), Vec::new());
            host.take_output(&mut hello);
            plugin.receive(&hello);
            let (mut out, mut told) = (Vec::new(), Vec::new());
            plugin.take_output(&mut out);
            let id = { host.receive(&out); host.request(SERVICE, "A", Request::default()) };
            prop_assert!(id.is_ok());
            bytes.chunks(size).for_each(|chunk| plugin.receive(chunk));
            while let Some(event) = plugin.next_event() {
                told.push(format!("{event:?}"));
            }
            out.clear();
            plugin.take_output(&mut out);
            plugin.closed(Status::new(Code::Unavailable, "over"));
            while plugin.next_event().is_some() {}
            prop_assert_eq!(plugin.open_calls(), 0);
            Ok((told, out))
        };
        prop_assert_eq!(feed(size)?, feed(usize::MAX)?);
    }

    #[test]
    fn random_bytes_instead_of_hello_never_panic(bytes in vec(any::<u8>(), 0..200), with_magic in any::<bool>(), is_host in any::<bool>()) {
        let mut session = session(if is_host { Role::Host } else { Role::Plugin }, Default::default());
        if with_magic {
            session.receive(b"anyplug\n");
        }
        session.receive(&bytes);
        while session.next_event().is_some() {}
    }
}

#[test]
fn kinds_lead_back_to_their_numbers() {
    for number in 0..=255 {
        if let Some(kind) = Kind::from_number(number) {
            assert_eq!(kind as u8, number);
        }
    }
}
