//! A plugin that is served at an address, by a program that no host started.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyplug_host::{InterpreterOptions, TlsOptions, interpreter, read_manifest, split_command};

/// What one side shows to the other over TLS.
pub(crate) fn certificates_of(side: &str) -> TlsOptions {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../certificates");
    let path = |name: String| folder.join(name).display().to_string();
    TlsOptions {
        certificate: path(format!("{side}.pem")),
        key: path(format!("{side}.key")),
        ca: path("authority.pem".to_owned()),
        server_name: None,
    }
}

/// The program, and where it serves.
pub(crate) struct Served {
    program: Child,
    folder: PathBuf,
    pub(crate) address: String,
}

impl Served {
    /// Starts the plugin's command, and waits until it says where it is.
    pub(crate) fn start(path: &Path, transport: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let located = read_manifest(path).expect("a manifest");
        let command =
            split_command(located.manifest.interop.ipc_command.as_deref().expect("a command")).expect("words");
        let (name, args) = command.split_first().expect("a program");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("anyplug-matrix-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder");
        let listen = match transport {
            "unix" => format!("unix:{}/plugin.sock", folder.display()),
            other => format!("{other}://127.0.0.1:0"),
        };
        let tls = certificates_of("plugin");
        let program = interpreter(name, &located.folder, &InterpreterOptions::default(), |name| std::env::var_os(name));
        let program = if program.contains('/') { located.folder.join(program) } else { program.into() };
        let mut program = Command::new(program)
            .args(args)
            .current_dir(&located.folder)
            .env("ANYPLUG_LISTEN", listen)
            .env("ANYPLUG_TLS_CERTIFICATE", tls.certificate)
            .env("ANYPLUG_TLS_KEY", tls.key)
            .env("ANYPLUG_TLS_CA", tls.ca)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program");
        let lines = BufReader::new(program.stdout.take().expect("its output")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| Some(line.rsplit_once(" at ")?.1.to_owned()));
        let address = format!("{}#{}", address.expect("an address"), located.manifest.name);
        Self { program, folder, address }
    }

    /// Asks the program to end, which it does with status 0, and leaves nothing behind.
    pub(crate) fn stop(mut self) {
        let pid = self.program.id().to_string();
        Command::new("kill").arg(pid).status().expect("a signal");
        let status = self.program.wait().expect("a status");
        std::fs::remove_dir_all(&self.folder).expect("the folder");
        assert!(status.success(), "the server ended with {status}");
    }
}
