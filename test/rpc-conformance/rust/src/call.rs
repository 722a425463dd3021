//! Makes one call as the runner asks for it.

use std::future::pending;
use std::time::Duration;

use anyplug::{CallOptions, Error, Metadata, Plugin, Response, Result, Streaming};
use futures_util::stream;
use prost::Message;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::convert::{headers_of, metadata_of, report_of};
use crate::packages::connectrpc::conformance::v1::client_compat_request::cancel::CancelTiming;
use crate::packages::connectrpc::conformance::v1::{
    BidiStreamResponse, ClientCompatRequest, ClientResponseResult, ClientStreamResponse, ConformanceClient,
    ConformancePayload, IdempotentUnaryResponse, ServerStreamResponse, StreamType, UnaryResponse,
    UnimplementedResponse,
};

/// How the call ended.
pub(crate) async fn make_call(plugin: &Plugin, request: ClientCompatRequest) -> ClientResponseResult {
    let timing = request.cancel.map(|cancel| cancel.cancel_timing.unwrap_or(CancelTiming::AfterCloseSendMs(0)));
    let mut call = Call { request, timing, payloads: Vec::new(), header: Metadata::new(), trailer: Metadata::new() };
    let error = call.make(&ConformanceClient::new(plugin)).await.err();
    if let Some(error) = &error {
        call.trailer = error.metadata().clone();
    }
    ClientResponseResult {
        response_headers: headers_of(&call.header),
        payloads: call.payloads,
        error: error.as_ref().map(report_of),
        response_trailers: headers_of(&call.trailer),
        ..ClientResponseResult::default()
    }
}

struct Call {
    request: ClientCompatRequest,
    timing: Option<CancelTiming>,
    payloads: Vec<ConformancePayload>,
    header: Metadata,
    trailer: Metadata,
}

/// Every response of the suite has at most a payload.
trait Answer {
    fn into_payload(self) -> Option<ConformancePayload>;
}

macro_rules! answers {
    ($($name:ident),*) => {
        $(impl Answer for $name {
            fn into_payload(self) -> Option<ConformancePayload> {
                self.payload
            }
        })*
    };
}

answers!(UnaryResponse, IdempotentUnaryResponse, ServerStreamResponse, ClientStreamResponse, BidiStreamResponse);

impl Answer for UnimplementedResponse {
    fn into_payload(self) -> Option<ConformancePayload> {
        None
    }
}

impl Call {
    async fn make(&mut self, client: &ConformanceClient) -> Result<()> {
        let options = self.options();
        match self.request.method().to_owned().as_str() {
            "Unary" => {
                let call = client.unary(self.only().await?).options(options).response();
                self.take_only(self.unless_cancelled(call).await?)
            }
            "IdempotentUnary" => {
                let call = client.idempotent_unary(self.only().await?).options(options).response();
                self.take_only(self.unless_cancelled(call).await?)
            }
            "Unimplemented" => {
                let call = client.unimplemented(self.only().await?).options(options).response();
                self.take_only(self.unless_cancelled(call).await?)
            }
            "ServerStream" => {
                let responses = client.server_stream(self.only().await?).options(options).await?;
                self.read(responses).await
            }
            "ClientStream" => {
                let (sender, requests) = channel();
                let call = client.client_stream(requests).options(options).response();
                let response = tokio::select! {
                    response = call => response,
                    error = self.send(sender) => Err(error),
                };
                self.take_only(response?)
            }
            "BidiStream" => {
                let (sender, requests) = channel();
                let responses = client.bidi_stream(requests).options(options).await?;
                self.converse(sender, responses).await
            }
            other => Err(Error::unimplemented(format!("there is no method {other}"))),
        }
    }

    fn options(&self) -> CallOptions {
        let timeout = self.request.timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        CallOptions { timeout, metadata: metadata_of(&self.request.request_headers).collect(), ..CallOptions::new() }
    }

    async fn delay(&self) {
        sleep(Duration::from_millis(self.request.request_delay_ms.into())).await;
    }

    /// The one request.
    async fn only<M: Message + Default>(&self) -> Result<M> {
        self.delay().await;
        let first = self.request.request_messages.first();
        parse(first.map_or(&[][..], |any| &any.value))
    }

    /// Dropping a call cancels it, and there is no error then but the program's own.
    async fn unless_cancelled<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            result = call => result,
            error = self.cancelled_after_close() => Err(error),
        }
    }

    /// Waits as long as the runner says after the last request was sent.
    async fn cancelled_after_close(&self) -> Error {
        match self.timing {
            Some(CancelTiming::AfterCloseSendMs(ms)) => sleep(Duration::from_millis(ms.into())).await,
            _ => pending().await,
        }
        cancelled()
    }

    /// Sends all requests, ends the stream, and returns when the call is to be cancelled.
    async fn send<M: Message + Default>(&self, sender: UnboundedSender<M>) -> Error {
        for any in &self.request.request_messages {
            self.delay().await;
            match parse(&any.value) {
                // Nobody listens when the call has ended.
                Ok(message) => sender.send(message).unwrap_or_default(),
                Err(error) => return error,
            }
        }
        if matches!(self.timing, Some(CancelTiming::BeforeCloseSend(()))) {
            return cancelled();
        }
        drop(sender);
        self.cancelled_after_close().await
    }

    /// Sends the requests of a bidirectional stream, each after the response to the one before it where the stream is full-duplex, and reads what else comes.
    async fn converse<M: Message + Default, R: Message + Default + Answer + 'static>(
        &mut self,
        sender: UnboundedSender<M>,
        mut responses: Streaming<R>,
    ) -> Result<()> {
        let is_full_duplex = self.request.stream_type() == StreamType::FullDuplexBidiStream;
        for any in self.request.request_messages.clone() {
            self.delay().await;
            sender.send(parse(&any.value)?).unwrap_or_default();
            if is_full_duplex && !self.read_one(&mut responses).await? {
                return Ok(());
            }
        }
        if matches!(self.timing, Some(CancelTiming::BeforeCloseSend(()))) {
            return Err(cancelled());
        }
        drop(sender);
        self.read(responses).await
    }

    async fn read<R: Message + Default + Answer + 'static>(&mut self, mut responses: Streaming<R>) -> Result<()> {
        let cancel = match self.timing {
            Some(CancelTiming::AfterCloseSendMs(ms)) => Some(Duration::from_millis(ms.into())),
            _ => None,
        };
        let read = async {
            while self.read_one(&mut responses).await? {}
            Ok(())
        };
        match cancel {
            None => read.await,
            Some(after) => tokio::select! {
                result = read => result,
                () = sleep(after) => Err(cancelled()),
            },
        }
    }

    /// Reads the next response; false when there is none.
    async fn read_one<R: Message + Default + Answer + 'static>(
        &mut self,
        responses: &mut Streaming<R>,
    ) -> Result<bool> {
        let response = responses.message().await;
        self.header = responses.header().unwrap_or_default();
        self.trailer = responses.trailer().unwrap_or_default();
        let Some(response) = response? else { return Ok(false) };
        self.payloads.extend(response.into_payload());
        match self.timing {
            Some(CancelTiming::AfterNumResponses(number)) if self.payloads.len() as u32 == number => Err(cancelled()),
            _ => Ok(true),
        }
    }

    fn take_only(&mut self, response: Response<impl Answer>) -> Result<()> {
        (self.header, self.trailer) = (response.header, response.trailer);
        self.payloads.extend(response.message.into_payload());
        Ok(())
    }
}

fn channel<M: Send + 'static>() -> (UnboundedSender<M>, impl futures_util::Stream<Item = M> + Send + 'static) {
    let (sender, receiver) = unbounded_channel();
    let requests = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    (sender, requests)
}

fn parse<M: Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(|error| Error::internal(error.to_string()))
}

fn cancelled() -> Error {
    Error::cancelled("the client gave the call up")
}
