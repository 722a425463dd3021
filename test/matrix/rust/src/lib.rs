//! A host in Rust and plugins in every language, over every transport: the behaviours of `test/matrix/behaviours.json`.
#![cfg(test)]

mod callbacks;
mod calls;
mod cell;
mod ends;
mod header_only;
mod host;
mod limits;
mod list;
mod process;
mod report;
mod schemas;
mod served;
mod streams;

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::{Duration, Instant};

use cell::{Cell, Language};
use futures_util::FutureExt;
use report::Place;

type Behaviour = for<'a> fn(&'a Cell) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! behaviours {
    ($($module:ident: $($name:ident)+;)+) => {
        &[$($((stringify!($name), |cell| Box::pin($module::$name(cell)))),+),+]
    };
}

const BEHAVIOURS: &[(&str, Behaviour)] = behaviours! {
    calls:
        a_plugin_says_who_it_is
        every_kind_of_field_comes_back_equal
        a_large_message_passes
        metadata_goes_both_ways
        the_plugin_sees_the_remaining_time
        an_error_keeps_code_message_and_details
        a_crash_in_a_handler_ends_its_call_alone
        a_thousand_calls_at_once_are_all_right
        ten_thousand_calls_at_once_are_all_right;
    streams:
        a_server_stream_comes_in_order
        a_client_stream_is_read_to_its_end
        a_bidi_stream_is_interleaved
        a_stream_that_fails_half_way_gives_what_came_before
        leaving_a_stream_ends_it_in_the_plugin
        a_slow_reader_holds_the_sender_back
        a_slow_plugin_holds_the_host_back;
    ends:
        a_deadline_cancels_the_handler
        a_cancelled_call_cancels_the_handler
        close_waits_for_calls_in_flight
        closing_in_the_middle_of_everything_ends_it_all
        calls_after_close_are_unavailable;
    callbacks:
        a_plugin_calls_its_host_within_a_call
        callbacks_nest
        endless_callbacks_come_to_an_end
        a_callback_has_the_time_of_its_call
        a_deadline_crosses_every_hop
        a_callback_is_cancelled_with_its_call
        a_plugin_gives_up_a_callback
        a_capability_must_be_granted
        an_unknown_service_is_unimplemented
        an_unknown_method_is_unimplemented;
    limits:
        a_message_over_the_limit_is_refused
        sixteen_mebibytes_pass_under_a_raised_limit
        pending_calls_are_limited;
    process:
        what_a_plugin_prints_is_log
        a_plugin_reads_nothing_from_stdin
        a_log_record_keeps_its_level
        an_exit_ends_calls_with_status_and_last_lines
        a_kill_ends_calls_with_the_signal;
    schemas:
        an_incompatible_schema_is_refused
        a_compatible_schema_is_accepted
        a_message_that_cannot_be_parsed_ends_its_call
        a_configuration_that_is_too_large_is_refused
        a_plugin_can_refuse_its_configuration;
};

/// Only for a behaviour that hangs.
const TOO_LONG: Duration = Duration::from_secs(300);

#[test]
fn this_suite_has_the_behaviours_of_the_list_each_once() {
    let wanted = list::behaviours();
    assert_eq!(BEHAVIOURS.len(), wanted.len());
    let ours: BTreeSet<_> = BEHAVIOURS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, wanted.iter().map(|wanted| wanted.name.as_str()).collect());
}

#[test]
fn this_suite_has_the_cells_of_the_list_each_once() {
    let wanted = list::cells();
    assert_eq!(CELLS.len(), wanted.len());
    let ours: BTreeSet<_> =
        CELLS.iter().map(|(language, transport)| (language.name(), (*transport).to_owned())).collect();
    assert_eq!(ours, wanted.into_iter().collect());
}

/// Tries all behaviours in one cell, and says which have failed.
fn run(language: Language, transport: &'static str) {
    let place = Place { plugin: language.name(), transport };
    if place.is_asked() {
        run_some(language, transport, list::behaviours());
    }
}

fn run_some(language: Language, transport: &'static str, behaviours: Vec<list::Wanted>) {
    let place = Place { plugin: language.name(), transport };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let cell = Cell::new(language, transport);
        let mut failed = Vec::new();
        for wanted in behaviours {
            let name = &*wanted.name;
            if !wanted.applies_to(transport) {
                place.report(name, "not applicable", Duration::ZERO);
                continue;
            }
            let (_, try_it) = BEHAVIOURS.iter().find(|(ours, _)| *ours == name).expect("a behaviour");
            let begun = Instant::now();
            let trial = tokio::time::timeout(TOO_LONG, AssertUnwindSafe(try_it(&cell)).catch_unwind()).await;
            if trial.is_err() {
                eprintln!("{name} takes too long");
            }
            let passed = matches!(trial, Ok(Ok(())));
            place.report(name, if passed { "passed" } else { "failed" }, begun.elapsed());
            if !passed {
                failed.push(wanted.name);
            }
        }
        cell.close().await;
        assert!(failed.is_empty(), "{language:?} over {transport}: {failed:?} failed, as above");
    });
}

macro_rules! cells {
    ($($name:ident: $language:ident $transport:literal;)+) => {
        const CELLS: &[(Language, &str)] = &[$((Language::$language, $transport)),+];

        /// Tests that a change in any language can break.
        mod between_languages {
            mod matrix {
                use crate::{Language, run};

                $(#[test] fn $name() { run(Language::$language, $transport); })+
            }
        }
    };
}

cells! {
    rust_over_direct: Rust "direct";
    typescript_over_process: TypeScript "process";
    typescript_over_stdio: TypeScript "stdio";
    python_over_process: Python "process";
    python_over_stdio: Python "stdio";
    rust_over_process: Rust "process";
    rust_over_stdio: Rust "stdio";
    typescript_over_unix: TypeScript "unix";
    typescript_over_tcp: TypeScript "tcp";
    python_over_unix: Python "unix";
    python_over_tcp: Python "tcp";
    rust_over_unix: Rust "unix";
    rust_over_tcp: Rust "tcp";
    typescript_over_tls: TypeScript "tls";
    python_over_tls: Python "tls";
    rust_over_tls: Rust "tls";
    typescript_over_wasm: TypeScript "wasm";
    rust_over_wasm: Rust "wasm";
    rust_over_ffi: Rust "ffi";
}
