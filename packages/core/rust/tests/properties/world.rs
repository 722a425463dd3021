//! Two sessions that talk to each other, and what each must know by what was done.

use std::collections::BTreeMap;

use anyplug_core::hello::HelloOptions;
use anyplug_core::session::{Event, Request, SessionOptions};
use anyplug_core::{Code, LimitOptions, MethodEntry, MethodKind, Role, ServiceEntry, Session, Status};
use proptest::prelude::*;

pub(crate) const SERVICE: &str = "demo.v1.DemoService";

pub(crate) fn session(role: Role, limits: LimitOptions) -> Session {
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
pub(crate) enum Step {
    Request { side: bool, end: bool, size: usize },
    Send { side: bool, which: usize, size: usize, last: bool },
    HalfClose { side: bool, which: usize },
    End { side: bool, which: usize, fails: bool },
    Cancel { side: bool, which: usize },
    Read { side: bool, count: usize },
    Move { side: bool, size: usize },
    Ping { side: bool },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
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
pub(crate) struct Known {
    is_callee: bool,
    sent: Vec<Vec<u8>>,
    received: Vec<Vec<u8>>,
    unread: Vec<usize>,
    sent_last: bool,
    /// It had no credit when it was asked; it is told when that changes.
    waits: bool,
    /// How the call ended; nothing may come after it.
    pub(crate) ended: Option<Option<Code>>,
}

pub(crate) struct Side {
    pub(crate) session: Session,
    pub(crate) calls: BTreeMap<u32, Known>,
    wire: Vec<u8>,
    pub(crate) pongs: usize,
    next: u8,
}

pub(crate) struct World {
    pub(crate) sides: [Side; 2],
}

impl World {
    pub(crate) fn new(limits: LimitOptions) -> Self {
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

    pub(crate) fn choose(&self, side: usize, which: usize) -> Option<u32> {
        let open: Vec<_> =
            self.sides[side].calls.iter().filter(|(_, call)| call.ended.is_none()).map(|(id, _)| *id).collect();
        (!open.is_empty()).then(|| open[which % open.len()])
    }

    pub(crate) fn run(&mut self, step: &Step) {
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

    pub(crate) fn settle(&mut self) {
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
    pub(crate) fn check(&mut self) {
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
