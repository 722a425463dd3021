//! One cell of the matrix of hosts and plugins.

use std::time::Instant;

use anyplug::{Plugin, Result};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};
use serde_json::{Value, json};

use crate::arguments::Arguments;

/// The first line of the conversation in Weizenbaum's paper.
const FIRST_LINE: &str = "Men are all alike.";

const WARM_UP: usize = 200;
const CALLS: usize = 1_000;

/// What is printed of a plugin: its answer to the first line, and the median time of a call.
pub(crate) async fn cell(arguments: &Arguments, loaded: Result<Plugin>) -> Value {
    let measured = match loaded {
        Ok(plugin) => measure(&plugin).await,
        Err(error) => Err(error),
    };
    let (reply, p50_us, error) = match measured {
        Ok((reply, p50_us)) => (Some(reply), Some(p50_us), None),
        Err(error) => (None, None, Some(error.to_string())),
    };
    let mut cell = json!({
        "host": "rust",
        "plugin": arguments.plugin,
        "transport": arguments.transport,
        "ok": error.is_none(),
        "reply": reply,
        "p50_us": p50_us,
    });
    if let Some(error) = error {
        cell["error"] = error.into();
    }
    cell
}

async fn measure(plugin: &Plugin) -> Result<(String, f64)> {
    let eliza = ElizaClient::new(plugin);
    let request = |session_id: &str| ReplyRequest { text: FIRST_LINE.to_owned(), session_id: session_id.to_owned() };
    let reply = eliza.reply(request("")).await?.text;
    let mut times = Vec::with_capacity(WARM_UP + CALLS);
    for _ in 0..WARM_UP + CALLS {
        let start = Instant::now();
        eliza.reply(request("timing")).await?;
        times.push(start.elapsed());
    }
    plugin.close().await?;
    let times = &mut times[WARM_UP..];
    times.sort_unstable();
    let p50 = times[CALLS / 2].as_secs_f64() * 1e6;
    Ok((reply, (p50 * 10.0).round() / 10.0))
}
