//! How a child process ended, in words.

use rustix::process::WaitIdStatus;

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// A signal of this number killed it.
    Signal(i32),
    /// Somebody else in this process collected its status, so that it is not known.
    Unknown,
}

impl Exit {
    pub(crate) fn of(status: &WaitIdStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Self::Status(status),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

/// "exited with status 3" or "was killed by SIGKILL".
pub fn describe_exit(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("exited with status {status}"),
        Exit::Signal(signal) => format!("was killed by {}", signal_name(signal)),
        Exit::Unknown => "exited (its status was collected elsewhere)".to_owned(),
    }
}

/// The last lines that a process wrote to stderr, or else to stdout, as the tail of an error message; empty when it wrote none.
pub fn describe_output(stderr: &[String], stdout: &[String]) -> String {
    if !stderr.is_empty() {
        format!("; its last lines on stderr:\n{}", indent(stderr))
    } else if !stdout.is_empty() {
        format!("; its last lines on stdout:\n{}", indent(stdout))
    } else {
        String::new()
    }
}

/// Longer lines are cut in an error message; the log has them whole.
const SHOWN_LINE_LENGTH: usize = 500;

fn indent(lines: &[String]) -> String {
    let shown = lines.iter().map(|line| match line.char_indices().nth(SHOWN_LINE_LENGTH) {
        Some((end, _)) => format!("  {}…", &line[..end]),
        None => format!("  {line}"),
    });
    shown.collect::<Vec<_>>().join("\n")
}

fn signal_name(signal: i32) -> String {
    let named = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    match named.iter().find(|(number, _)| *number == signal) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_words() {
        assert_eq!(describe_exit(Exit::Status(3)), "exited with status 3");
        assert_eq!(describe_exit(Exit::Signal(9)), "was killed by SIGKILL");
        assert_eq!(describe_exit(Exit::Signal(50)), "was killed by signal 50");
    }

    #[test]
    fn stderr_is_shown_before_stdout_and_long_lines_are_cut_between_characters() {
        let long = "ä".repeat(600);
        let shown = describe_output(&[long], &["out".into()]);
        assert_eq!(shown, format!("; its last lines on stderr:\n  {}…", "ä".repeat(500)));
        assert_eq!(describe_output(&[], &["a".into(), "b".into()]), "; its last lines on stdout:\n  a\n  b");
        assert_eq!(describe_output(&[], &[]), "");
    }
}
