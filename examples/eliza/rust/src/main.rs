//! A host that talks to ELIZA in any of the three languages.
//!
//! With `--cell` it prints one cell of the matrix as JSON; otherwise it answers each line of standard input, and an empty line starts a
//! new session.

mod arguments;
mod cell;

use std::io::BufRead;
use std::process::ExitCode;

use anyplug::{Plugin, Result};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};

use arguments::{Arguments, USAGE};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if arguments.cell => {
            println!("{}", cell::failed(&arguments, &error));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let plugin = load(arguments).await?;
    let eliza = ElizaClient::new(&plugin);
    if arguments.cell {
        println!("{}", cell::measure(arguments, &eliza).await?);
    } else {
        converse(&eliza).await?;
    }
    plugin.close().await
}

async fn load(arguments: &Arguments) -> Result<Plugin> {
    anyplug::load_plugin(arguments.folder()).transport(arguments.transport.clone()).await
}

async fn converse(eliza: &ElizaClient) -> Result<()> {
    let mut session = 0;
    // Each line is answered before the next is read, so nothing else waits for this thread.
    for line in std::io::stdin().lock().lines() {
        let Ok(text) = line else { break };
        if text.is_empty() {
            session += 1;
            continue;
        }
        let request = ReplyRequest { text, session_id: session.to_string() };
        println!("{}", eliza.reply(request).await?.text);
    }
    Ok(())
}
