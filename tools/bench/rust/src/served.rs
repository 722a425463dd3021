//! A plugin that is served at an address.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::host::Host;
use crate::{Answer, Contender, Failure};

/// The bench plugin of a language, on a socket.
pub(crate) struct Served {
    host: Host,
    child: Child,
    folder: PathBuf,
}

impl Served {
    /// Serves the plugin on a socket of that kind ("unix" or "tcp"), and loads it from there. The working folder is the root of the repository.
    ///
    /// # Errors
    /// What the system says, or why the plugin cannot be loaded.
    pub(crate) async fn start(kind: &str, language: &str) -> Result<Self, Failure> {
        let root = std::env::current_dir()?;
        let folder = std::env::temp_dir().join(format!("anyplug-bench-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let listen = match kind {
            "unix" => format!("unix:{}", folder.join("socket").display()),
            _ => "tcp://127.0.0.1:0".to_owned(),
        };
        let home = root.join("plugins/bench-plugin").join(language);
        let mut command = match language {
            "ts" => {
                let mut node = Command::new("node");
                node.arg("dist/main.js");
                node
            }
            "python" => {
                let mut python = Command::new(root.join(".venv/bin/python"));
                python.args(["-m", "anyplug_bench_plugin"]);
                python
            }
            _ => Command::new(home.join("bin/anyplug-bench-plugin")),
        };
        let mut child = command.current_dir(home).env("ANYPLUG_LISTEN", listen).stdout(Stdio::piped()).spawn()?;
        // "bench-plugin at ADDRESS", once it can be reached.
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("the plugin has no output")?).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default();
        let host = Host::served(address).await?;
        Ok(Self { host, child, folder })
    }
}

impl Contender for Served {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        self.host.run(what, ms).await
    }

    async fn close(mut self) -> Result<(), Failure> {
        self.host.close().await?;
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        self.child.wait()?;
        std::fs::remove_dir_all(self.folder)?;
        Ok(())
    }
}
