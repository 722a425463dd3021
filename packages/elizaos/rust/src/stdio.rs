//! A program that is a plugin of a host that speaks ElizaOS's line protocols on its standard streams.

use std::io::{Read, Write};

use anyplug_contracts::agent::{AgentPluginDefinition, AgentRuntime, AgentRuntimeOptions, local_link};
use anyplug_core::Result;
use tokio::sync::mpsc::unbounded_channel;

use crate::serve::{LineServer, ServeOptions};

const READ: usize = 64 << 10;

/// Serves a plugin on the standard streams until the host closes the input, and all that it asked is answered. What the program prints must go to standard error.
///
/// Such a host offers nothing to its plugins: the plugin's agent has no settings and no other plugins, and forgets when the program ends.
///
/// # Errors
/// FAILED_PRECONDITION without a tokio runtime; INVALID_ARGUMENT when the plugin has a name twice.
pub async fn serve_elizaos(definition: AgentPluginDefinition) -> Result<()> {
    let write = |bytes: Vec<u8>| {
        let mut out = std::io::stdout().lock();
        // Who does not listen any more has closed the input, too.
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    };
    serve_elizaos_on(definition, std::io::stdin(), ServeOptions::new(write)).await
}

/// As [`serve_elizaos`], on other streams and with other limits. `input` is read in a thread of its own.
///
/// # Errors
/// As [`serve_elizaos`].
pub async fn serve_elizaos_on(
    definition: AgentPluginDefinition,
    mut input: impl Read + Send + 'static,
    options: ServeOptions,
) -> Result<()> {
    let agent = AgentRuntime::new(AgentRuntimeOptions::named("elizaos"));
    let link = local_link(definition, agent.name(), agent.services(), |_| {})?;
    let server = LineServer::start(&link, options).await?;
    let (sender, mut chunks) = unbounded_channel();
    let read = move || {
        let mut chunk = vec![0; READ];
        while let Ok(count @ 1..) = input.read(&mut chunk) {
            if sender.send(chunk[..count].to_vec()).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("anyplug-stdin".to_owned())
        .spawn(read)
        .map_err(|error| anyplug_core::Error::unavailable("no thread can be started").with_source(error))?;
    while let Some(chunk) = chunks.recv().await {
        server.data(&chunk);
    }
    server.drain().await;
    Ok(())
}
