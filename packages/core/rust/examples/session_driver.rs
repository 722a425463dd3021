//! One session on standard input and output, for tests that pair it with a session of another language.
//!
//! Each line in is a JSON object, and each gets one line out. The first is `{"session": …}`. Then, in the forms of
//! `test/vectors/README.md`: `{"receive": hex}` gives `{}`, `{"output": true}` gives `{"output": hex}` and takes it, `{"event": true}`
//! gives `{"event": {…}}` or `{"event": null}`, and `{"do": op, …}` gives `{"returns": …}` or `{"fails": {"code", "message"}}`.

#[path = "../tests/script/mod.rs"]
mod script;

use std::io::{BufRead, Write};

use anyplug_core::{Error, Session};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut session = None;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(step) => answer(&mut session, &step).unwrap_or_else(
                |error| json!({ "fails": { "code": error.code().name(), "message": error.message() } }),
            ),
            Err(error) => json!({ "fails": { "code": "INVALID_ARGUMENT", "message": error.to_string() } }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(current: &mut Option<Session>, step: &Value) -> Result<Value, Error> {
    if let Some(spec) = step.get("session") {
        *current = Some(script::session(spec)?);
        return Ok(json!({}));
    }
    let Some(session) = current else {
        return Err(Error::failed_precondition("the first line is to be {\"session\": …}"));
    };
    if let Some(input) = step.get("receive") {
        session.receive(&script::bytes(input));
        Ok(json!({}))
    } else if step.get("output").is_some() {
        Ok(json!({ "output": script::hex(&script::output(session)) }))
    } else if step.get("event").is_some() {
        let event = session.next_event();
        Ok(json!({ "event": event.map(|event| script::event_to(session, event)) }))
    } else {
        Ok(json!({ "returns": script::perform(session, step)? }))
    }
}
