//! TestService.

use std::time::Duration;

use anyplug_core::Code;
use anyplug_generated::anyplug::test::v1::harm_request::Kind;
use anyplug_generated::anyplug::test::v1::{
    AskHostRequest, AskHostResponse, AskRequest, ConverseRequest, ConverseResponse, CountRequest, CountResponse,
    EchoRequest, EchoResponse, FailDetail, FailRequest, FailResponse, HarmRequest, HarmResponse, HostClient,
    RevealRequest, SecretClient, SumRequest, SumResponse, TestHandler, WaitReportRequest, WaitReportResponse,
    WaitRequest, WaitResponse,
};
use anyplug_sdk::time::sleep;
use anyplug_sdk::{Context, Error, Result, Sender, Streaming};
use tokio::sync::Notify;

use crate::harm::harm;
use crate::waits::Waits;

/// Handles the calls of the tests.
#[derive(Debug, Default)]
pub struct TestPlugin {
    waits: Waits,
    given_up: Notify,
}

impl TestHandler for TestPlugin {
    async fn echo(&self, request: EchoRequest, context: Context) -> Result<EchoResponse> {
        for (key, value) in context.metadata().iter() {
            if key.starts_with("header-") {
                context.set_header(key, value)?;
            }
            if key.starts_with("trailer-") {
                context.set_trailer(key, value)?;
            }
        }
        let remaining = context.remaining().map(|left| u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
        Ok(EchoResponse {
            text: request.text,
            data: request.data,
            everything: request.everything,
            metadata: context.metadata().iter().map(|(key, value)| format!("{key}: {value}")).collect(),
            origin: context.origin().to_vec(),
            remaining_ms: remaining,
        })
    }

    async fn fail(&self, request: FailRequest, _: Context) -> Result<FailResponse> {
        Err(failure(request))
    }

    async fn count(&self, request: CountRequest, responses: Sender<CountResponse>, _: Context) -> Result<()> {
        for index in 0..request.count {
            if request.delay_ms > 0 {
                sleep(Duration::from_millis(request.delay_ms.into())).await;
            }
            responses.send(CountResponse { index, data: vec![0; request.size as usize] }).await?;
        }
        request.fail.map_or(Ok(()), |fail| Err(failure(fail)))
    }

    async fn sum(&self, mut requests: Streaming<SumRequest>, _: Context) -> Result<SumResponse> {
        let mut response = SumResponse::default();
        while let Some(request) = requests.message().await? {
            response.sum = response.sum.wrapping_add(request.number);
            response.count += 1;
        }
        Ok(response)
    }

    async fn converse(
        &self,
        mut requests: Streaming<ConverseRequest>,
        responses: Sender<ConverseResponse>,
        _: Context,
    ) -> Result<()> {
        while let Some(ConverseRequest { text, data }) = requests.message().await? {
            responses.send(ConverseResponse { text, data }).await?;
        }
        Ok(())
    }

    async fn wait(&self, request: WaitRequest, context: Context) -> Result<WaitResponse> {
        let wait = self.waits.start();
        tokio::select! {
            () = sleep(Duration::from_millis(request.ms.into())) => {
                wait.complete();
                Ok(WaitResponse {})
            }
            reason = context.cancelled() => Err(reason),
        }
    }

    async fn wait_report(&self, request: WaitReportRequest, _: Context) -> Result<WaitReportResponse> {
        let counts = self.waits.settled(request.at_least).await;
        let (started, completed, cancelled) = (counts.started, counts.completed, counts.cancelled);
        Ok(WaitReportResponse { started, completed, cancelled })
    }

    async fn ask_host(&self, request: AskHostRequest, context: Context) -> Result<AskHostResponse> {
        let AskHostRequest { question, depth, reveal } = request;
        if reveal {
            let response = SecretClient::new(&context).reveal(RevealRequest {}).await?;
            return Ok(AskHostResponse { answer: response.value });
        }
        tokio::select! {
            // First, so that it listens before the host hears of the question.
            biased;
            () = self.given_up.notified() => Err(Error::cancelled("the plugin gave up what it asked its host")),
            response = HostClient::new(&context).ask(AskRequest { question, depth }) => {
                Ok(AskHostResponse { answer: response?.answer })
            }
        }
    }

    async fn harm(&self, request: HarmRequest, context: Context) -> Result<HarmResponse> {
        if request.kind() == Kind::GiveUp {
            self.given_up.notify_waiters();
            return Ok(HarmResponse::default());
        }
        harm(&request, &context).map(|text| HarmResponse { text })
    }
}

#[expect(clippy::panic, reason = "the test asks for it")]
fn failure(request: FailRequest) -> Error {
    if request.crash {
        panic!("{}", request.message);
    }
    let error = Error::new(Code::from_number(request.code).unwrap_or(Code::Unknown), request.message);
    if request.detail.is_empty() { error } else { error.with_message(&FailDetail { text: request.detail }) }
}
