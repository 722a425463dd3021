//! ConformanceService: it answers as the request says.

use std::time::Duration;

use anyplug::{Any, Context, Error, Result, Sender, Streaming};
use tokio::time::sleep;

use crate::convert::{error_of, headers_of, metadata_of, pack};
use crate::packages::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use crate::packages::connectrpc::conformance::v1::unary_response_definition::Response;
use crate::packages::connectrpc::conformance::v1::{
    BidiStreamRequest, BidiStreamResponse, ClientStreamRequest, ClientStreamResponse, ConformanceHandler,
    ConformancePayload, Header, IdempotentUnaryRequest, IdempotentUnaryResponse, ServerStreamRequest,
    ServerStreamResponse, StreamResponseDefinition, UnaryRequest, UnaryResponse, UnaryResponseDefinition,
    UnimplementedRequest, UnimplementedResponse,
};

/// Handles the calls of the suite.
pub(crate) struct ConformanceService;

impl ConformanceHandler for ConformanceService {
    async fn unary(&self, request: UnaryRequest, context: Context) -> Result<UnaryResponse> {
        let requests = vec![pack(&request)];
        let payload = one_payload(request.response_definition, requests, &context).await?;
        Ok(UnaryResponse { payload: Some(payload) })
    }

    async fn server_stream(
        &self,
        request: ServerStreamRequest,
        sender: Sender<ServerStreamResponse>,
        context: Context,
    ) -> Result<()> {
        let requests = vec![pack(&request)];
        let mut responses = Responses::new(request.response_definition, &context)?;
        while responses.left() {
            let payload = responses.next(&requests, false).await;
            sender.send(ServerStreamResponse { payload: Some(payload) }).await?;
        }
        responses.end(requests)
    }

    async fn client_stream(
        &self,
        mut requests: Streaming<ClientStreamRequest>,
        context: Context,
    ) -> Result<ClientStreamResponse> {
        let (mut definition, mut all) = (None, Vec::new());
        while let Some(request) = requests.message().await? {
            let packed = pack(&request);
            if all.is_empty() {
                definition = request.response_definition;
            }
            all.push(packed);
        }
        Ok(ClientStreamResponse { payload: Some(one_payload(definition, all, &context).await?) })
    }

    async fn bidi_stream(
        &self,
        mut requests: Streaming<BidiStreamRequest>,
        sender: Sender<BidiStreamResponse>,
        context: Context,
    ) -> Result<()> {
        let (mut responses, mut is_full_duplex, mut unanswered) = (None, false, Vec::new());
        while let Some(request) = requests.message().await? {
            unanswered.push(pack(&request));
            let responses = match &mut responses {
                Some(responses) => responses,
                none => {
                    is_full_duplex = request.full_duplex;
                    none.insert(Responses::new(request.response_definition, &context)?)
                }
            };
            if !is_full_duplex {
                continue;
            }
            if !responses.left() {
                break;
            }
            let payload = responses.next(&unanswered, true).await;
            sender.send(BidiStreamResponse { payload: Some(payload) }).await?;
            unanswered.clear();
        }
        let Some(mut responses) = responses else { return Ok(()) };
        while responses.left() {
            let payload = responses.next(&unanswered, false).await;
            sender.send(BidiStreamResponse { payload: Some(payload) }).await?;
        }
        responses.end(unanswered)
    }

    async fn unimplemented(&self, _: UnimplementedRequest, _: Context) -> Result<UnimplementedResponse> {
        Err(Error::unimplemented("the suite has a method that nobody implements"))
    }

    async fn idempotent_unary(
        &self,
        request: IdempotentUnaryRequest,
        context: Context,
    ) -> Result<IdempotentUnaryResponse> {
        let requests = vec![pack(&request)];
        let payload = one_payload(request.response_definition, requests, &context).await?;
        Ok(IdempotentUnaryResponse { payload: Some(payload) })
    }
}

/// The responses of a stream, as its first request defines them.
struct Responses {
    definition: StreamResponseDefinition,
    seen: RequestInfo,
    sent: usize,
}

impl Responses {
    fn new(definition: Option<StreamResponseDefinition>, context: &Context) -> Result<Self> {
        let definition = definition.unwrap_or_default();
        add_metadata(&definition.response_headers, &definition.response_trailers, context)?;
        Ok(Self { definition, seen: seen(context), sent: 0 })
    }

    fn left(&self) -> bool {
        self.sent < self.definition.response_data.len()
    }

    /// The first says what was seen of the call; with `always` the others say which requests they answer.
    async fn next(&mut self, requests: &[Any], always: bool) -> ConformancePayload {
        // A handler whose call is cancelled is dropped where it waits.
        sleep(Duration::from_millis(self.definition.response_delay_ms.into())).await;
        let data = self.definition.response_data.get(self.sent).cloned().unwrap_or_default();
        self.sent += 1;
        let request_info = match self.sent {
            1 => Some(RequestInfo { requests: requests.to_vec(), ..self.seen.clone() }),
            _ => always.then(|| RequestInfo { requests: requests.to_vec(), ..RequestInfo::default() }),
        };
        ConformancePayload { data, request_info }
    }

    /// Fails when the definition has an error.
    fn end(self, requests: Vec<Any>) -> Result<()> {
        let Some(error) = self.definition.error.map(error_of) else { return Ok(()) };
        Err(if self.sent == 0 { error.with_message(&RequestInfo { requests, ..self.seen }) } else { error })
    }
}

async fn one_payload(
    definition: Option<UnaryResponseDefinition>,
    requests: Vec<Any>,
    context: &Context,
) -> Result<ConformancePayload> {
    let request_info = RequestInfo { requests, ..seen(context) };
    let definition = definition.unwrap_or_default();
    add_metadata(&definition.response_headers, &definition.response_trailers, context)?;
    sleep(Duration::from_millis(definition.response_delay_ms.into())).await;
    let data = match definition.response {
        Some(Response::Error(error)) => return Err(error_of(error).with_message(&request_info)),
        Some(Response::ResponseData(data)) => data,
        None => Vec::new(),
    };
    Ok(ConformancePayload { data, request_info: Some(request_info) })
}

fn seen(context: &Context) -> RequestInfo {
    let timeout_ms = context.remaining().map(|left| left.as_nanos().div_ceil(1_000_000) as i64);
    RequestInfo { request_headers: headers_of(context.metadata()), timeout_ms, ..RequestInfo::default() }
}

fn add_metadata(headers: &[Header], trailers: &[Header], context: &Context) -> Result<()> {
    metadata_of(headers).try_for_each(|(key, value)| context.set_header(key, value))?;
    metadata_of(trailers).try_for_each(|(key, value)| context.set_trailer(key, value))
}
