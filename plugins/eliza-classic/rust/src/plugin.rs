//! ELIZA as a plugin: the engine behind ElizaService.

use std::path::Path;

use anyplug_generated::eliza_classic::v1::{
    ChatRequest, ChatResponse, Eliza as ElizaService, ElizaHandler, Exchange, ReplyRequest, ReplyResponse,
    ReplyStreamRequest, ReplyStreamResponse, TranscriptRequest, TranscriptResponse,
};
use anyplug_sdk::{Config, Context, Error, Plugin, Result, Sender, Streaming};

use crate::eliza::Eliza;
use crate::errors::InputError;
use crate::parse::parse_script;
use crate::sessions::Sessions;

/// The plugin. Its configuration may give the script: `script`, its text, or `script_path`, the absolute path of a file.
#[anyplug_sdk::plugin(python = "anyplug_eliza_classic")]
pub fn plugin() -> Plugin {
    Plugin::new("eliza-classic", env!("CARGO_PKG_VERSION"))
        .configured(|config| Ok(vec![ElizaService::implement(Handler::new(eliza(config)?))]))
}

struct Handler {
    eliza: Eliza,
    sessions: Sessions,
}

impl Handler {
    fn new(eliza: Eliza) -> Self {
        Self { sessions: Sessions::new(eliza.clone()), eliza }
    }
}

impl ElizaHandler for Handler {
    async fn reply(&self, request: ReplyRequest, _: Context) -> Result<ReplyResponse> {
        let text = self.sessions.reply(&request.session_id, &request.text).map_err(refused)?;
        Ok(ReplyResponse { text })
    }

    async fn reply_stream(
        &self,
        request: ReplyStreamRequest,
        responses: Sender<ReplyStreamResponse>,
        _: Context,
    ) -> Result<()> {
        let reply = self.sessions.reply(&request.session_id, &request.text).map_err(refused)?;
        for word in reply.split(' ') {
            responses.send(ReplyStreamResponse { text: word.to_owned() }).await?;
        }
        Ok(())
    }

    async fn transcript(&self, mut requests: Streaming<TranscriptRequest>, _: Context) -> Result<TranscriptResponse> {
        let mut session = self.eliza.new_session();
        let mut exchanges = Vec::new();
        while let Some(TranscriptRequest { text }) = requests.message().await? {
            let reply = session.reply(&text).map_err(refused)?;
            exchanges.push(Exchange { text, reply });
        }
        Ok(TranscriptResponse { exchanges })
    }

    async fn chat(
        &self,
        mut requests: Streaming<ChatRequest>,
        responses: Sender<ChatResponse>,
        _: Context,
    ) -> Result<()> {
        let mut session = self.eliza.new_session();
        while let Some(request) = requests.message().await? {
            let text = session.reply(&request.text).map_err(refused)?;
            responses.send(ChatResponse { text }).await?;
        }
        Ok(())
    }
}

/// What the engine refuses is the caller's to correct.
fn refused(error: InputError) -> Error {
    Error::invalid_argument(error.to_string())
}

fn eliza(config: &Config) -> Result<Eliza> {
    match (text(config, "script")?, text(config, "script_path")?) {
        (Some(_), Some(_)) => Err(Error::invalid_argument("config: expected script or script_path, got both")),
        (Some(script), None) => parsed("config.script", script),
        (None, Some(path)) => {
            if !Path::new(path).is_absolute() {
                return Err(Error::invalid_argument(format!(
                    "config.script_path: expected an absolute path, got \"{path}\": the folder that a plugin works in depends on how it is loaded"
                )));
            }
            let unreadable = |reason| format!("config.script_path: {path} cannot be read: {reason}");
            let bytes = std::fs::read(path).map_err(|error| Error::invalid_argument(unreadable(reason(&error))))?;
            let script =
                String::from_utf8(bytes).map_err(|_| Error::invalid_argument(unreadable("it is not UTF-8".into())))?;
            parsed(&format!("config.script_path: {path}"), &script)
        }
        (None, None) => Ok(Eliza::default()),
    }
}

fn text<'a>(config: &'a Config, name: &str) -> Result<Option<&'a str>> {
    match config.get(name) {
        None | Some(Config::Null) => Ok(None),
        Some(Config::String(text)) => Ok(Some(text)),
        Some(other) => Err(Error::invalid_argument(format!("config.{name}: expected text, got {other}"))),
    }
}

/// The system's words without the number that Rust adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn parsed(place: &str, script: &str) -> Result<Eliza> {
    let script = parse_script(script).map_err(|error| Error::invalid_argument(format!("{place}: {error}")))?;
    Ok(Eliza::new(script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_refused_with_place_and_reason() {
        let refused = include_str!("../../data/refused-configurations.json");
        let refused: Vec<Config> = serde_json::from_str(refused).expect("a list");
        for case in refused {
            let error = eliza(&case["config"]).map(drop).expect_err("a refusal");
            assert_eq!(error.code(), anyplug_sdk::Code::InvalidArgument);
            let message = case["message"].as_str().expect("a text");
            assert!(error.message().starts_with(message), "{error}");
        }
    }
}
