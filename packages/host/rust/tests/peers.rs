//! Who is at the other end of a Unix socket: programs of other users are refused, on both sides. Root alone can be another user, for a moment.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyplug_core::Code;
use anyplug_host::load_plugin;
use anyplug_sdk::{ServeOptions, listen};

const NOBODY: u32 = 65_534;

/// A folder of the test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("anyplug-peers-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).expect("a folder");
        set_mode(&path, mode);
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("x.sock")
    }

    fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Whether another user can be had. That it cannot is said where everybody sees it.
fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        let _ = std::io::stderr().write_all(b"NOT RUN, for want of root: peers.rs, where another user is refused\n");
    }
    is_root
}

/// Does something in the folder as nobody: in a child of this process, before it becomes another program.
fn as_nobody(folder: &Path, work: impl FnMut() -> Result<()> + Send + Sync + 'static) -> Result<ExitStatus> {
    let mut child = Command::new("/bin/true");
    child.current_dir(folder).uid(NOBODY).gid(NOBODY);
    // SAFETY: what the tests do there is calls of the system; none allocates or takes a lock.
    unsafe { child.pre_exec(work) };
    child.status()
}

#[tokio::test]
async fn a_served_plugin_says_nothing_to_another_users_program() {
    if !is_root() {
        return;
    }
    let folder = Folder::new("server", 0o755);
    let server = listen(vec![anyplug_test_plugin::plugin()], ServeOptions::at(folder.address())).expect("a server");
    // As somebody may have done by mistake.
    set_mode(&folder.socket(), 0o666);
    let stranger = as_nobody(&folder.0, || match UnixStream::connect("x.sock")?.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Error::from(ErrorKind::InvalidData)),
        Err(error) => Err(error),
    });
    assert!(stranger.expect("no answer").success());
    load_plugin(server.address()).await.expect("a plugin").close().await.expect("an end");
}

#[tokio::test]
async fn a_host_does_not_talk_to_another_users_server() {
    if !is_root() {
        return;
    }
    let folder = Folder::new("host", 0o777);
    let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
    let path = folder.0.clone();
    let stranger = std::thread::spawn(move || {
        as_nobody(&path, move || {
            let _listener = UnixListener::bind("x.sock")?;
            theirs.write_all(b"l")?;
            // Until the test has seen enough.
            theirs.read(&mut [0]).map(|_| ())
        })
    });
    ours.read_exact(&mut [0]).expect("a server");
    set_mode(&folder.0, 0o755);
    let error = load_plugin(folder.address()).await.expect_err("a refusal");
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.message().contains("belongs to user 65534; expected user 0 or root"), "{error}");
    // The file is put right, and the server is who it is.
    std::os::unix::fs::chown(folder.socket(), Some(0), None).expect("an owner");
    let error = load_plugin(folder.address()).await.expect_err("a refusal");
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.message().contains("the peer is user 65534; expected user 0 or root"), "{error}");
    ours.write_all(b"e").expect("a server");
    assert!(stranger.join().expect("a thread").expect("an end").success());
}
