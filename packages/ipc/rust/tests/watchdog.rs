//! No plugin outlives its host, however the host dies.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyplug_ipc::{WATCHDOG, start_process};
use fixture::{Lines, pid, shell, wait_until_gone};
use rustix::process::{Pid, Signal};

const SCRIPT: &str = "ANYPLUG_TEST_SCRIPT";

/// This test program again, as a host that loads the script in the variable, prints the lines that it prints, and never ends.
#[test]
fn host_of_the_other_tests() {
    let Ok(script) = std::env::var(SCRIPT) else { return };
    let lines = Lines::default();
    let (_process, _pipe) = start_process(&shell(&script, &lines)).expect("a process");
    let watchdog = WATCHDOG.pid().expect("a watchdog").as_raw_nonzero();
    let printed: Vec<String> = lines.wait_for(1)[0].split(' ').skip(1).map(str::to_owned).collect();
    println!("PIDS {watchdog} {}", printed.join(" "));
    loop {
        std::thread::park();
    }
}

/// Starts that host and returns it with the processes: the watchdog, then those whose ids the script prints.
fn host(script: &str) -> (Child, Vec<Pid>) {
    let mut host = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture", "host_of_the_other_tests"])
        .env(SCRIPT, script)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .expect("a host");
    let output = BufReader::new(host.stdout.take().expect("its output"));
    // The harness of the tests prints the name of the test before it, in the same line.
    let line = output.lines().map_while(Result::ok).find(|line| line.contains("PIDS ")).expect("the line of the host");
    let pids = line.split("PIDS ").nth(1).expect("the ids").split(' ').map(pid).collect();
    (host, pids)
}

fn dies_with_its_host(script: &str, count: usize) {
    let (mut host, pids) = host(script);
    assert_eq!(pids.len(), count + 1);
    for pid in &pids {
        rustix::process::test_kill_process(*pid).expect("it runs");
    }
    host.kill().expect("a kill");
    host.wait().expect("its end");
    for pid in pids {
        wait_until_gone(pid);
    }
}

#[test]
fn a_plugin_that_never_reads_its_channel_dies_with_a_host_that_was_killed() {
    dies_with_its_host("echo $$; exec sleep 100000", 1);
}

#[test]
fn a_plugin_in_a_busy_loop_dies_with_a_host_that_was_killed() {
    dies_with_its_host("echo $$; while :; do :; done", 1);
}

#[test]
fn a_plugin_that_ignores_term_and_its_child_die_with_a_host_that_was_killed() {
    dies_with_its_host("trap '' TERM HUP INT; sleep 100000 & echo $$ $!; while :; do sleep 1000; done", 2);
}

#[test]
fn a_watchdog_that_was_killed_is_replaced() {
    let lines = Lines::default();
    let (_process, _pipe) = start_process(&shell("exec sleep 100000", &lines)).expect("a process");
    let first = WATCHDOG.pid().expect("a watchdog");
    rustix::process::kill_process(first, Signal::KILL).expect("a kill");
    loop {
        match WATCHDOG.pid() {
            Some(pid) if pid != first => break,
            _ => std::thread::yield_now(),
        }
    }
}
