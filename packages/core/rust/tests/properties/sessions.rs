//! Sessions.

use anyplug_core::session::Request;
use anyplug_core::{Code, LimitOptions, Role, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::frames::frame_bytes;
use crate::world::{SERVICE, Side, Step, World, session, step};

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
