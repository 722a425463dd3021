//! A connection as the transport of typed clients, and as what is around the calls that it handles.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;

use super::binding::Bound;
use super::raw::Started;
use super::{Connection, Inner, RawCall, RawRequest, RawUnary};
use crate::channel::{BoxFuture, Instant};
use crate::client::{Caller, Client};
use crate::context::Surroundings;
use crate::descriptor::{ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::log::LogRecord;
use crate::router::Router;
use crate::session::Role;
use crate::transport::{CallOptions, CallStream, Link, MethodRef, Payload, PeerInfo, Response, Running, Transport};

impl Transport for Connection {
    fn unary(&self, method: MethodRef, request: Payload, options: CallOptions) -> Running {
        self.unary_encoded(method, &request.into_bytes(), options)
    }

    fn unary_encoded(&self, method: MethodRef, request: &[u8], mut options: CallOptions) -> Running {
        let mut message = Bytes::new();
        let running =
            self.unary_taken(method, request, &mut options, &mut |answer| message = Bytes::copy_from_slice(answer));
        running.unwrap_or_else(|| Running::Ended(Ok(Response::of(Payload::Bytes(message)))))
    }

    fn unary_taken(
        &self,
        method: MethodRef,
        request: &[u8],
        options: &mut CallOptions,
        take: &mut dyn FnMut(&[u8]),
    ) -> Option<Running> {
        let index = match self.inner.bind(method) {
            Ok(Bound::Ready(index)) => index,
            Ok(Bound::Unchecked) => {
                let (connection, request, options) = (self.clone(), request.to_vec(), std::mem::take(options));
                return Some(Running::Waits(Box::pin(async move {
                    let index = connection.check_and_bind(method).await?;
                    let default_timeout_ms = method.descriptor()?.default_timeout_ms;
                    let request =
                        RawRequest { method: index, payload: &request, end: true, options, default_timeout_ms };
                    TypedUnary(connection.inner.start_raw_unary(request)?).await
                })));
            }
            Err(error) => return Some(Running::Ended(Err(error))),
        };
        let started = method.descriptor().and_then(|descriptor| {
            self.inner.start_unary(index, request, options, descriptor.default_timeout_ms, take)
        });
        match started {
            Ok(Started::Ended(Ok(()))) => None,
            Ok(Started::Open(call)) => Some(Running::Waits(Box::pin(TypedUnary(call)))),
            Ok(Started::Ended(Err(error))) | Err(error) => Some(Running::Ended(Err(error))),
        }
    }

    fn stream(
        &self,
        method: MethodRef,
        request: Option<Payload>,
        options: CallOptions,
    ) -> BoxFuture<Result<Arc<dyn CallStream>>> {
        let connection = self.clone();
        Box::pin(async move {
            let index = match connection.inner.bind(method)? {
                Bound::Ready(index) => index,
                Bound::Unchecked => connection.check_and_bind(method).await?,
            };
            let call: Arc<dyn CallStream> = Arc::new(connection.call(method, index, request, options)?);
            Ok(call)
        })
    }

    fn spawn(&self, future: BoxFuture<()>) {
        self.inner.shell.spawn(future);
    }
}

impl Connection {
    async fn check_and_bind(&self, method: MethodRef) -> Result<u16> {
        self.check_binding(method.service).await?;
        match self.inner.bind(method)? {
            Bound::Ready(index) => Ok(index),
            Bound::Unchecked => self.method_index(method.service.name, method.descriptor()?.name),
        }
    }

    fn call(&self, method: MethodRef, index: u16, request: Option<Payload>, options: CallOptions) -> Result<RawCall> {
        let default_timeout_ms = method.descriptor()?.default_timeout_ms;
        let end = request.is_some();
        let payload = request.map(Payload::into_bytes).unwrap_or_default();
        self.inner.start(RawRequest { method: index, payload: &payload, end, options, default_timeout_ms })
    }
}

impl Link for Connection {
    fn peer_info(&self) -> Option<PeerInfo> {
        let peer = self.peer()?;
        Some(PeerInfo { name: peer.name.clone(), version: peer.version.clone(), runtime: peer.runtime.clone() })
    }

    fn wait_opened(&self) -> BoxFuture<Result<()>> {
        let ready = self.ready();
        Box::pin(async move { ready.await.map(drop) })
    }

    fn wait_closed(&self) -> BoxFuture<Error> {
        Box::pin(Connection::wait_closed(self))
    }

    fn negotiate(&self, service: Arc<ServiceEntry>) -> BoxFuture<Result<()>> {
        let connection = self.clone();
        Box::pin(async move {
            connection.ready().await?;
            connection.check_service(&service).await
        })
    }

    fn negotiate_uses(&self) -> BoxFuture<Result<()>> {
        let connection = self.clone();
        Box::pin(async move {
            connection.ready().await?;
            connection.check_uses().await
        })
    }

    fn drain(&self) -> BoxFuture<()> {
        Box::pin(Connection::drain(self))
    }

    fn close(&self, reason: Error) {
        self.fail(reason);
    }
}

impl Caller for Connection {
    fn client_of(&self, service: &'static ServiceDescriptor) -> Client {
        Client::new(Arc::new(self.clone()), service)
    }
}

struct TypedUnary(RawUnary);

impl Future for TypedUnary {
    type Output = Result<Response<Payload>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(task)).map(typed))
    }
}

fn typed(response: Response<Bytes>) -> Response<Payload> {
    let Response { message, header, trailer } = response;
    Response { message: Payload::Bytes(message), header, trailer }
}

impl Surroundings for Inner {
    fn transport(self: Arc<Self>) -> Arc<dyn Transport> {
        Arc::new(Connection { inner: self })
    }

    fn peer_name(&self) -> Arc<str> {
        self.peer_name.get().cloned().unwrap_or_default()
    }

    fn router(&self) -> &Router {
        &self.router
    }

    fn now(&self) -> Instant {
        self.shell.now()
    }

    fn log(self: Arc<Self>, record: LogRecord) {
        match self.role {
            Role::Host => self.log_locally(record),
            Role::Plugin => {
                let record = record.with_time_of_now();
                self.change(|state| state.session.log(&record));
            }
        }
    }

    fn log_locally(&self, record: LogRecord) {
        self.shell.log(record.with_time_of_now());
    }
}
