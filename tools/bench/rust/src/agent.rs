//! An action of an agent's plugin.

use anyplug::{CallOptions, Plugin};
use anyplug_contracts::agent::{Content, InvokeArguments, Memory, Registration, State};

use crate::host::{IN_FLIGHT, SMALL};
use crate::{Answer, Contender, Failure, clock};

/// The weather plugin, as an agent has it.
pub(crate) struct Agent {
    plugin: Plugin,
    weather: Registration,
    arguments: InvokeArguments,
}

impl Agent {
    /// Loads the weather plugin of a language as a child process, or with none the one that is linked into this program.
    ///
    /// # Errors
    /// Why it cannot be loaded.
    pub(crate) async fn start(language: &str) -> Result<Self, Failure> {
        let plugin = match language {
            "" => anyplug::load_direct(anyplug_weather::plugin()?).await?,
            _ => anyplug::load_plugin(format!("plugins/weather/{language}")).transport("process").await?,
        };
        let weather = Registration::of(&plugin, CallOptions::default()).await?;
        let values = [("rain".to_owned(), true.into())].into_iter().collect();
        let arguments = InvokeArguments {
            message: Memory::of(Content::text("m".repeat(SMALL))),
            state: State { values, ..State::default() },
            ..InvokeArguments::default()
        };
        Ok(Self { plugin, weather, arguments })
    }
}

impl Contender for Agent {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let invoke = || async {
            let invoked =
                self.weather.invoke_action("UMBRELLA", self.arguments.clone(), |_| {}, CallOptions::default());
            if invoked.await?.success { Ok(()) } else { Err(Failure::from("the action failed")) }
        };
        match what {
            "latency" => clock::latency(ms, 1, invoke).await,
            "throughput" => Ok(Answer::of(clock::throughput(ms, IN_FLIGHT, invoke).await?)),
            _ => Err(format!("an agent cannot run {what:?}").into()),
        }
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(self.plugin.close().await?)
    }
}
