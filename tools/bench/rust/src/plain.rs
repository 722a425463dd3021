//! An async call of the language, beside which a direct call stands.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;

use crate::host::SMALL;
use crate::{Answer, Contender, Failure, clock};

/// What a caller knows of the callee: a direct call does not know its handler either.
trait Echo: Sync {
    fn echo(&self, data: Vec<u8>) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send + '_>>;
}

struct Handler;

impl Echo for Handler {
    fn echo(&self, data: Vec<u8>) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send + '_>> {
        Box::pin(async move { data })
    }
}

/// Plain calls.
pub(crate) struct Plain;

impl Contender for Plain {
    async fn run(&mut self, what: &str, ms: u64) -> Result<Answer, Failure> {
        let handler: &dyn Echo = black_box(&Handler);
        let echo = || async { Ok::<_, Failure>(black_box(handler.echo(vec![7; SMALL]).await)) };
        match what {
            "latency" => clock::latency(ms, 50, echo).await,
            "throughput" => Ok(Answer::of(clock::throughput(ms, crate::host::IN_FLIGHT, echo).await?)),
            _ => Err(format!("a plain call cannot run {what:?}").into()),
        }
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
