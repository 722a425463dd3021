//! A service whose calls a peer answers.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use anyplug_core::transport::CallStream;
use anyplug_core::{BoxFuture, Error, Implementation, Payload, Result, ServeRaw, ServerCall, ServiceEntry};
use bytes::Bytes;
use futures_util::future::{Either, select};

use crate::outgoing::{Event, Running, meta_text};
use crate::peer::Peer;
use crate::types::{Method, params_of};

/// `service`, each call of which is made of `peer`.
///
/// # Errors
/// INTERNAL when its descriptors do not describe it.
pub(crate) fn forwarded(service: &Arc<ServiceEntry>, peer: &Arc<Peer>) -> Result<Implementation> {
    let forward = Forward { methods: Method::all_of(service)?, peer: peer.clone() };
    Ok(Implementation::raw(service.clone(), Arc::new(forward)))
}

struct Forward {
    methods: Vec<Arc<Method>>,
    peer: Arc<Peer>,
}

impl ServeRaw for Forward {
    fn serve(&self, method: usize, mut call: ServerCall) -> Option<BoxFuture<()>> {
        let method = self.methods.get(method)?.clone();
        let peer = self.peer.clone();
        let busy = peer.busy.enter();
        Some(Box::pin(async move {
            let cancelled = call.context().cancelled();
            let result = match select(cancelled, pin!(forward(&method, &peer, &mut call))).await {
                Either::Left((reason, _)) => Err(reason),
                Either::Right((result, _)) => result,
            };
            match result {
                Ok(Some(response)) => {
                    if let Err(error) = call.send(Payload::Bytes(response), true) {
                        // Most errors have ended the call, and then this does nothing.
                        call.stream().end(Err(error));
                    }
                }
                Ok(None) => call.finish(Ok(())),
                Err(error) => call.finish(Err(error)),
            }
            drop(busy);
        }))
    }
}

/// Makes the call, and gives the one response where there is just one.
async fn forward(method: &Arc<Method>, peer: &Peer, call: &mut ServerCall) -> Result<Option<Bytes>> {
    let meta = meta_text(call.context().metadata());
    let stream = call.stream().clone();
    if !method.kind.streams_requests() {
        let request = only_request(call).await?;
        let params = params_of(method.request_text(&request)?);
        return receive(peer.calls.call(method, &params, &meta)?, &*stream).await;
    }
    let running = peer.calls.call(method, "", &meta)?;
    let id = running.id;
    let sending = pin!(async {
        if let Err(error) = send_all(id, method, peer, &*stream).await {
            peer.calls.cancel(id, error);
        }
    });
    match select(pin!(receive(running, &*stream)), sending).await {
        Either::Left((result, _)) => result,
        Either::Right(((), receiving)) => receiving.await,
    }
}

async fn receive(mut running: Running, stream: &dyn CallStream) -> Result<Option<Bytes>> {
    loop {
        match running.next().await {
            Event::Message(message, _) => {
                poll_fn(|task| stream.poll_ready(task)).await?;
                stream.send(Payload::Bytes(message), false)?;
            }
            Event::Ended(result) => return result,
        }
    }
}

/// Sends the requests of a call as they come, and as fast as the peer reads.
async fn send_all(id: u64, method: &Method, peer: &Peer, stream: &dyn CallStream) -> Result<()> {
    while let Some(request) = poll_fn(|task| stream.poll_receive(task)).await? {
        let text = method.request_text(&request.into_bytes())?;
        if !peer.calls.send(id, Some(&text)) {
            return Ok(());
        }
        peer.output.room().await;
    }
    peer.calls.send(id, None);
    Ok(())
}

async fn only_request(call: &mut ServerCall) -> Result<Bytes> {
    if let Some(request) = call.take_request() {
        return Ok(request.into_bytes());
    }
    let mut only = None;
    while let Some(request) = poll_fn(|task| call.poll_receive(task)).await? {
        if only.replace(request.into_bytes()).is_some() {
            return Err(Error::internal("the request has a second message where its kind promises one"));
        }
    }
    only.ok_or_else(|| Error::internal("the request ended without the one message that its kind promises"))
}
