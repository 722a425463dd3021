//! A plugin in a shared library that uses tokio, and what stands on it, as any program does.

use std::time::Duration;

use anyplug_generated::anyplug::test::v1::{AskRequest, AskResponse, Host, HostHandler};
use anyplug_sdk::{Context, Error, Plugin, Result};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The plugin. It does what it is asked to do.
#[anyplug_sdk::plugin]
pub fn plugin() -> Plugin {
    Plugin::new("native-trial", env!("CARGO_PKG_VERSION")).service(Host::implement(Trial))
}

struct Trial;

impl HostHandler for Trial {
    async fn ask(&self, AskRequest { question, depth }: AskRequest, _: Context) -> Result<AskResponse> {
        let failed = |error: &dyn std::fmt::Display| Error::unknown(error.to_string());
        let answer = match question.as_str() {
            "sleep" => {
                tokio::time::sleep(Duration::from_millis(u64::from(depth))).await;
                "slept".to_owned()
            }
            "spawn" => {
                let task = tokio::spawn(async move { u64::from(depth) + 1 });
                task.await.map_err(|error| failed(&error))?.to_string()
            }
            "channel" => {
                let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
                tokio::spawn(async move {
                    for number in 0..depth {
                        let _ = sender.send(number).await;
                    }
                });
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                sum.to_string()
            }
            "thread" => {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                std::thread::spawn(move || sender.send("from a thread"));
                receiver.await.map_err(|error| failed(&error))?.to_owned()
            }
            // It leaves something in the thread that calls, which is the host's.
            "current" => std::thread::current().name().unwrap_or_default().to_owned(),
            "block" => {
                let blocking = tokio::task::spawn_blocking(move || depth * 2);
                blocking.await.map_err(|error| failed(&error))?.to_string()
            }
            "http" => fetch(depth).await.map_err(|error| failed(&error))?,
            #[expect(clippy::panic, reason = "it is what is asked for")]
            "panic" => panic!("at once"),
            #[expect(clippy::panic, reason = "it is what is asked for")]
            "panic later" => {
                tokio::task::yield_now().await;
                panic!("later")
            }
            other => return Err(Error::invalid_argument(format!("nobody knows how to {other:?}"))),
        };
        Ok(AskResponse { answer })
    }
}

/// What a server on this machine answers, by hyper.
async fn fetch(port: u32) -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("127.0.0.1", u16::try_from(port)?)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/").header("host", "127.0.0.1").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?.into_body().collect().await?;
    Ok(String::from_utf8(answer.to_bytes().to_vec())?)
}
