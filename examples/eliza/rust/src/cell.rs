//! One cell of the matrix.

use std::time::Instant;

use anyplug::{Error, Result};
use anyplug_generated::eliza_classic::v1::{ElizaClient, ReplyRequest};
use serde_json::{Value, json};

use crate::arguments::Arguments;

const WARM_UP: usize = 200;
const CALLS: usize = 1_000;

/// The answer to the paper's first line, and the median time of a call in microseconds.
pub(crate) async fn measure(arguments: &Arguments, eliza: &ElizaClient) -> Result<Value> {
    let line = |session_id: &str| ReplyRequest { text: "Men are all alike.".into(), session_id: session_id.into() };
    let reply = eliza.reply(line("first")).await?.text;
    let mut times = Vec::with_capacity(WARM_UP + CALLS);
    for _ in 0..WARM_UP + CALLS {
        let start = Instant::now();
        eliza.reply(line("timing")).await?;
        times.push(start.elapsed());
    }
    let measured = &mut times[WARM_UP..];
    measured.sort_unstable();
    let median = (measured[CALLS / 2].as_secs_f64() * 10_000_000.0).round() / 10.0;
    let Arguments { plugin, transport, .. } = arguments;
    Ok(
        json!({ "host": "rust", "plugin": plugin, "transport": transport, "ok": true, "reply": reply, "p50_us": median }),
    )
}

/// The cell of a plugin that could not be loaded or called.
pub(crate) fn failed(Arguments { plugin, transport, .. }: &Arguments, error: &Error) -> Value {
    let error = error.to_string();
    json!({ "host": "rust", "plugin": plugin, "transport": transport, "ok": false, "reply": null, "p50_us": null, "error": error })
}
