//! A host that has itself greeted by the plugin in the folder that it is given.

use anyplug_generated::greeter::v1::{GreetAllRequest, GreetRequest, GreeterClient};

#[tokio::main]
async fn main() -> anyplug::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "examples/greeter/python".into());
    let plugin = anyplug::load_plugin(folder).await?;
    let greeter = GreeterClient::new(&plugin);
    println!("{}", greeter.greet(GreetRequest { name: "Ada".into() }).await?.text);
    let mut greetings = greeter.greet_all(GreetAllRequest { name: "Grace".into() }).await?;
    while let Some(greeting) = greetings.message().await? {
        println!("{}", greeting.text);
    }
    plugin.close().await
}
