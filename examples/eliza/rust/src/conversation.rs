//! A conversation over standard input and output.

use std::io::{BufRead, Write};

use anyplug::{Error, Plugin, Result};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};

/// Answers each line of standard input by a line; an empty one starts a new session.
///
/// # Errors
/// As a call; UNKNOWN when input or output fail.
pub(crate) async fn converse(plugin: &Plugin) -> Result<()> {
    let eliza = ElizaClient::new(plugin);
    let failed =
        |error: std::io::Error| Error::unknown(format!("standard input or output: {error}")).with_source(error);
    let mut session = 1;
    for line in std::io::stdin().lock().lines() {
        let text = line.map_err(failed)?;
        if text.is_empty() {
            session += 1;
            continue;
        }
        let reply = eliza.reply(ReplyRequest { text, session_id: session.to_string() }).await?;
        let mut output = std::io::stdout().lock();
        writeln!(output, "{}", reply.text).and_then(|()| output.flush()).map_err(failed)?;
    }
    plugin.close().await
}
