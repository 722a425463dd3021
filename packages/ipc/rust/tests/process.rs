//! Child processes: how they are started, captured and ended.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod fixture;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyplug_core::Code;
use anyplug_ipc::{EnvironmentOptions, Exit, InheritEnv, Moved, Pipe, ProcessOptions, start_process};
use fixture::{Lines, shell};
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

const LONG: Duration = Duration::from_secs(300);

fn read_all(pipe: &Pipe) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match pipe.read(&mut buffer) {
            Moved::Bytes(length) => all.extend_from_slice(&buffer[..length]),
            Moved::Closed => return String::from_utf8(all).expect("text"),
            Moved::Blocked => {
                let mut ready = [PollFd::from_borrowed_fd(pipe.read_fd(), PollFlags::IN)];
                rustix::event::poll(&mut ready, None).expect("a poll");
            }
        }
    }
}

fn refusal(options: &ProcessOptions) -> (Code, String) {
    let error = start_process(options).expect_err("a refusal");
    (error.code(), error.message().to_owned())
}

#[test]
fn the_channel_is_on_descriptors_of_its_own() {
    let lines = Lines::default();
    let script = "echo out; read -r line <&3; echo \"got $line on $ANYPLUG_CHANNEL\" >&4; echo err >&2";
    let (process, pipe) = start_process(&shell(script, &lines)).expect("a process");
    assert_eq!(pipe.write(b"hello\n"), Moved::Bytes(6));
    assert_eq!(read_all(&pipe), "got hello on fd:3,4\n");
    assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
    assert_eq!(lines.sorted(), ["stderr: err", "stdout: out"]);
}

#[test]
fn in_stdio_mode_the_channel_is_on_stdin_and_stdout() {
    let lines = Lines::default();
    let options =
        ProcessOptions { stdio: true, ..shell("read -r line; echo \"got $line on $ANYPLUG_CHANNEL\"", &lines) };
    let (_process, pipe) = start_process(&options).expect("a process");
    assert_eq!(pipe.write(b"hello\n"), Moved::Bytes(6));
    assert_eq!(read_all(&pipe), "got hello on stdio\n");
}

#[test]
fn stdin_is_empty() {
    let lines = Lines::default();
    let (process, _pipe) = start_process(&shell("cat; echo end", &lines)).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
    assert_eq!(lines.sorted(), ["stdout: end"]);
}

#[test]
fn the_child_has_no_other_descriptor_of_the_host() {
    let inherited = std::fs::File::open("/dev/null").expect("a file");
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).expect("inheritable");
    let lines = Lines::default();
    let script = "for f in /proc/self/fd/*; do echo \"${f##*/}\"; done";
    let (process, _pipe) = start_process(&shell(script, &lines)).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
    let numbers: Vec<String> = ["0", "1", "2", "3", "4"].map(|number| format!("stdout: {number}")).to_vec();
    // The shell itself holds the folder that it lists.
    let seen: Vec<String> = lines.sorted().into_iter().filter(|line| line.len() == "stdout: 0".len()).collect();
    assert!(seen.starts_with(&numbers) && seen.len() <= 6, "{:?}", lines.sorted());
    assert!(lines.sorted().len() <= 6, "{:?}", lines.sorted());
}

#[test]
fn the_environment_holds_what_was_asked_for_and_no_more() {
    let lines = Lines::default();
    let environment = EnvironmentOptions {
        env: BTreeMap::from([("GIVEN".to_owned(), "1 2".to_owned())]),
        inherit_env: InheritEnv::Names(vec!["CARGO_MANIFEST_DIR".to_owned()]),
        env_denylist: Vec::new(),
    };
    let options = ProcessOptions { environment, ..shell("exec env", &lines) };
    let (process, _pipe) = start_process(&options).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
    let names: Vec<String> = lines.sorted().iter().map(|line| line["stdout: ".len()..].to_owned()).collect();
    assert!(names.contains(&"GIVEN=1 2".to_owned()), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("CARGO_MANIFEST_DIR=")), "{names:?}");
    let allowed = [
        "PATH=",
        "HOME=",
        "LANG=",
        "LC_",
        "TZ=",
        "TMPDIR=",
        "GIVEN=",
        "CARGO_MANIFEST_DIR=",
        "ANYPLUG_CHANNEL=",
        "PWD=",
        "SHLVL=",
        "_=",
    ];
    for name in &names {
        assert!(allowed.iter().any(|allowed| name.starts_with(allowed)), "{name} was passed on");
    }
}

#[test]
fn signals_that_the_host_ignores_are_not_ignored_in_the_child() {
    let lines = Lines::default();
    // Rust ignores SIGPIPE; a child that inherits that writes into the void for ever.
    let (process, _pipe) = start_process(&shell("kill -PIPE $$; echo survived", &lines)).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Signal(13)));
}

#[test]
fn a_program_that_is_missing_is_named_with_where_it_was_looked_for() {
    let lines = Lines::default();
    let environment = EnvironmentOptions {
        env: BTreeMap::from([("PATH".to_owned(), "/bin:/usr/bin".to_owned())]),
        ..EnvironmentOptions::default()
    };
    let options = |command: &str| ProcessOptions {
        command: vec![command.to_owned()],
        environment: environment.clone(),
        ..shell("", &lines)
    };
    let looked = "cannot start plugin \"test\": program \"no-such-program\" was not found (looked in /bin, /usr/bin); install it, or add its folder to PATH";
    assert_eq!(refusal(&options("no-such-program")), (Code::NotFound, looked.to_owned()));
    let missing =
        "cannot start plugin \"test\": program /no/such/program does not exist; build it, or name another command";
    assert_eq!(refusal(&options("/no/such/program")), (Code::NotFound, missing.to_owned()));
    let not_executable =
        "cannot start plugin \"test\": program /etc/passwd is not executable; set its mode with chmod +x";
    assert_eq!(refusal(&options("/etc/passwd")), (Code::PermissionDenied, not_executable.to_owned()));
    let options = ProcessOptions { cwd: PathBuf::from("/no/such/folder"), ..options("sh") };
    let folder = "cannot start plugin \"test\": its working folder /no/such/folder does not exist";
    assert_eq!(refusal(&options), (Code::NotFound, folder.to_owned()));
}

#[test]
fn an_interpreter_that_is_missing_is_named() {
    let lines = Lines::default();
    let script = fixture::executable("#!/no/such/interpreter -x\n");
    let options = ProcessOptions { command: vec![script.path.to_string_lossy().into_owned()], ..shell("", &lines) };
    let (code, message) = loop {
        let (code, message) = refusal(&options);
        // As long as a child that another test is starting has what this one wrote still open.
        if !message.contains("Text file busy") {
            break (code, message);
        }
    };
    assert_eq!(code, Code::NotFound);
    assert!(
        message.ends_with("is there, but its interpreter /no/such/interpreter does not exist; install it"),
        "{message}"
    );
}

#[test]
fn an_exit_is_noticed_at_once_and_told_with_the_last_lines() {
    let lines = Lines::default();
    let script = "for i in $(seq 1 30); do echo line $i >&2; done; exit 3";
    let (process, _pipe) = start_process(&shell(script, &lines)).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(3)));
    let last: Vec<String> = (11..=30).map(|line| format!("  line {line}")).collect();
    assert_eq!(process.describe(""), format!("exited with status 3; its last lines on stderr:\n{}", last.join("\n")));
}

#[test]
fn what_the_process_started_goes_with_it() {
    let lines = Lines::default();
    let (process, _pipe) = start_process(&shell("sleep 1000 & echo $!; exit 0", &lines)).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
    let grandchild = lines.first_pid();
    fixture::wait_until_gone(grandchild);
}

#[test]
fn a_process_that_ignores_its_channel_and_term_is_killed() {
    let lines = Lines::default();
    let script = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let (process, pipe) = start_process(&shell(script, &lines)).expect("a process");
    lines.wait_for(1);
    drop(pipe);
    assert_eq!(process.stop(), Exit::Signal(9));
    assert_eq!(process.stop(), Exit::Signal(9));
}

#[test]
fn a_process_that_heeds_term_is_not_killed() {
    let heeds = || {
        let lines = Lines::default();
        let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        let (process, pipe) = start_process(&shell(script, &lines)).expect("a process");
        lines.wait_for(1);
        drop(pipe);
        let exit = process.stop();
        assert_eq!(lines.sorted().contains(&"stdout: bye".to_owned()), exit == Exit::Status(7));
        exit
    };
    // On a busy machine the two seconds that it has may be over before it is run at all.
    let exits: Vec<_> = (0..10).map(|_| heeds()).take_while(|exit| *exit == Exit::Signal(9)).collect();
    assert!(exits.len() < 10, "{exits:?}");
}

#[test]
fn a_process_that_is_dropped_is_killed() {
    let lines = Lines::default();
    let (process, _pipe) = start_process(&shell("echo $$; exec sleep 1000", &lines)).expect("a process");
    let pid = lines.first_pid();
    drop(process);
    fixture::wait_until_gone(pid);
}

#[test]
fn who_takes_lines_cannot_stop_the_watch_by_a_panic() {
    let lines = Lines::default();
    let options = ProcessOptions {
        on_line: std::sync::Arc::new(|_, _| panic!("no lines, please")),
        ..shell("echo; exit 4", &lines)
    };
    let (process, _pipe) = start_process(&options).expect("a process");
    assert_eq!(process.wait(LONG), Some(Exit::Status(4)));
}

#[test]
fn two_hundred_processes_leave_no_descriptor_and_no_zombie() {
    let lines = Lines::default();
    let (process, _pipe) = start_process(&shell("exit 0", &lines)).expect("a process");
    process.wait(LONG);
    let before = fixture::open_descriptors();
    for _ in 0..200 {
        let (process, _pipe) = start_process(&shell("exit 0", &lines)).expect("a process");
        assert_eq!(process.wait(LONG), Some(Exit::Status(0)));
        assert!(rustix::process::test_kill_process(process.pid()).is_err(), "a zombie");
    }
    // Other tests run at the same time, in threads of this process; each has a few descriptors open.
    assert!(fixture::open_descriptors() < before + 100);
    assert!(rustix::process::kill_process_group(process.pid(), Signal::KILL).is_err());
}
