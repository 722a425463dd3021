//! What a host sees of a plugin in a shared library that uses tokio as it likes.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

/// With the library of this package, which `cargo build` makes.
mod between_languages {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::path::PathBuf;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use anyplug_core::{Code, Error};
    use anyplug_generated::anyplug::test::v1::{AskRequest, HostClient};
    use anyplug_host::{Plugin, load_plugin};

    /// In the folder of this program, or above it.
    fn library() -> PathBuf {
        let name = format!("{}native_trial{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let program = std::env::current_exe().expect("this program");
        let found = program.ancestors().skip(1).map(|folder| folder.join(&name)).find(|file| file.is_file());
        found.expect("the library: cargo build --workspace --profile fast")
    }

    fn plugin() -> Plugin {
        block_on(load_plugin(library())).expect("a plugin")
    }

    fn ask(client: &HostClient, question: &str, depth: u32) -> Result<String, Error> {
        let request = AskRequest { question: question.to_owned(), depth };
        block_on(client.ask(request)).map(|response| response.answer.clone())
    }

    #[test]
    fn a_handler_sleeps_spawns_and_waits_for_threads() {
        let plugin = plugin();
        let client = HostClient::new(&plugin);
        for (question, depth, answer) in [
            ("sleep", 5, "slept"),
            ("spawn", 6, "7"),
            ("channel", 5, "10"),
            ("thread", 0, "from a thread"),
            ("block", 21, "42"),
        ] {
            assert_eq!(ask(&client, question, depth).expect(question), answer);
        }
        block_on(plugin.close()).expect("an end");
    }

    #[test]
    fn a_handler_uses_an_http_client() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                head.push(byte[0]);
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
            stream.write_all(answer).expect("an answer");
        });
        let plugin = plugin();
        assert_eq!(ask(&HostClient::new(&plugin), "http", u32::from(port)).expect("an answer"), "hello");
        server.join().expect("a server");
        block_on(plugin.close()).expect("an end");
    }

    #[test]
    fn a_panic_ends_its_call_alone() {
        let plugin = plugin();
        let client = HostClient::new(&plugin);
        for question in ["panic", "panic later"] {
            let error = ask(&client, question, 0).expect_err("a failure");
            assert_eq!(error.code(), Code::Internal, "{error}");
            assert_eq!(ask(&client, "spawn", 1).expect("an answer"), "2");
        }
        block_on(plugin.close()).expect("an end");
    }

    #[test]
    fn calls_in_flight_end_when_the_plugin_is_closed_and_its_library_is_unloaded() {
        let plugin = block_on(load_plugin(library()).drain_timeout(Duration::ZERO)).expect("a plugin");
        let client = HostClient::new(&plugin);
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                std::thread::spawn(move || ask(&client, "sleep", 600_000))
            })
            .collect();
        // Closed only when it has begun to answer others.
        assert_eq!(ask(&client, "spawn", 1).expect("an answer"), "2");
        block_on(plugin.close()).expect("an end");
        for call in calls {
            let error = call.join().expect("a thread").expect_err("an end");
            assert_eq!(error.code(), Code::Unavailable, "{error}");
        }
        assert_eq!(ask(&client, "spawn", 1).expect_err("an end").code(), Code::Unavailable);
    }

    #[test]
    fn a_thread_of_the_host_may_end_after_the_library() {
        let thread = std::thread::Builder::new().name("of the host".to_owned()).spawn(|| {
            let plugin = plugin();
            ask(&HostClient::new(&plugin), "current", 0).expect("an answer");
            block_on(plugin.close()).expect("an end");
        });
        thread.expect("a thread").join().expect("an end");
    }

    /// Each is a copy of its own, and nothing is left of it: neither in memory nor of descriptors.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_library_that_was_closed_leaves_nothing_behind() {
        // The other tests load libraries too: this one counts in a process of its own.
        let program = std::env::current_exe().expect("this program");
        let counted = std::process::Command::new(program)
            .args(["--exact", "between_languages::loads", "--nocapture"])
            .env("ANYPLUG_LOADS", "200")
            .output()
            .expect("a process");
        let told = String::from_utf8_lossy(&counted.stdout);
        assert!(counted.status.success(), "{told}{}", String::from_utf8_lossy(&counted.stderr));
    }

    /// Loads and calls the library ANYPLUG_LOADS times, for the test above, or by hand as often as one likes.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn loads() {
        let Some(count) = std::env::var("ANYPLUG_LOADS").ok().and_then(|text| text.parse::<u32>().ok()) else { return };
        let load = || {
            let plugin = plugin();
            let client = HostClient::new(&plugin);
            assert_eq!(ask(&client, "spawn", 1).expect("an answer"), "2");
            block_on(client.ask(AskRequest { question: "sleep".to_owned(), depth: 1 })).expect("an answer");
            block_on(plugin.close()).expect("an end");
        };
        (0..50).for_each(|_| load());
        let before = usage();
        (0..count).for_each(|_| load());
        let after = usage();
        println!("{count} loads: {before:?}, then {after:?} (libraries, descriptors, KiB)");
        // One may be on its way out in a thread that has not ended yet.
        assert!(after.0 <= before.0 + 4 && after.1 <= before.1 + 8, "{before:?} {after:?}");
        assert!(after.2 < before.2 + 40 * count as usize, "{before:?} {after:?}");
    }

    /// Mappings of the library, descriptors, and KiB of memory in use.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn usage() -> (usize, usize, usize) {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("mappings");
        let pages = std::fs::read_to_string("/proc/self/statm").expect("memory");
        let pages: usize = pages.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a number");
        let descriptors = std::fs::read_dir("/proc/self/fd").expect("descriptors").count();
        (maps.lines().filter(|line| line.contains("native_trial.so")).count(), descriptors, pages * 4)
    }

    /// Polls a future to its end in this thread, without any runtime.
    fn block_on<T>(future: impl IntoFuture<Output = T>) -> T {
        struct Unpark(std::thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let mut future = pin!(future.into_future());
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            std::thread::park();
        }
    }
}
