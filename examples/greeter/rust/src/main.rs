//! A plugin that greets people.

use std::process::ExitCode;

use anyplug_generated::greeter::v1::{
    GreetAllRequest, GreetAllResponse, GreetRequest, GreetResponse, Greeter, GreeterHandler,
};
use anyplug_sdk::{Context, Plugin, Result, Sender, serve};

struct Polite;

impl GreeterHandler for Polite {
    async fn greet(&self, request: GreetRequest, _: Context) -> Result<GreetResponse> {
        Ok(GreetResponse { text: format!("Hello, {}!", request.name) })
    }

    async fn greet_all(&self, request: GreetAllRequest, responses: Sender<GreetAllResponse>, _: Context) -> Result<()> {
        for word in ["Hello", "Bonjour", "Ciao"] {
            responses.send(GreetAllResponse { text: format!("{word}, {}!", request.name) }).await?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    serve(Plugin::new("greeter", "1.0.0").service(Greeter::implement(Polite)))
}
