//! Which index a method has in the peer's table, and whether the schemas of both sides fit; found out once per service.

use std::sync::{Arc, OnceLock};

use prost::Message as _;

use super::{Connection, Inner, RawRequest};
use crate::descriptor::{ServiceDescriptor, ServiceEntry};
use crate::error::{Error, Result};
use crate::hello::{Peer, REFLECTION_SERVICE};
use crate::negotiation::check_compatible;
use crate::reflection::GET_DESCRIPTORS;
use crate::reflection_wire as wire;
use crate::transport::{CallOptions, MethodRef};

/// What is known of a service that stubs were generated for.
struct Binding {
    /// Generated descriptors are static, so their address names them.
    service: usize,
    /// The index of each method in the peer's table.
    indices: Vec<Option<u16>>,
    /// The schemas fit, or do not; none before that was checked.
    checked: OnceLock<Result<()>>,
    next: Bindings,
}

/// A list that only grows: a call reads it without a lock, and there are few services.
#[derive(Default)]
pub(super) struct Bindings(OnceLock<Box<Binding>>);

impl Bindings {
    fn find(&self, service: usize) -> Option<&Binding> {
        let mut list = self;
        loop {
            let binding = list.0.get()?;
            if binding.service == service {
                return Some(binding);
            }
            list = &binding.next;
        }
    }

    /// Adds a binding, unless the service has one.
    fn add(&self, binding: Binding) {
        let (mut list, mut binding) = (self, Box::new(binding));
        while let Err(refused) = list.0.set(binding) {
            binding = refused;
            match list.0.get() {
                Some(other) if other.service != binding.service => list = &other.next,
                _ => return,
            }
        }
    }
}

/// What has to happen before a call.
pub(super) enum Bound {
    /// Nothing: the method has this index.
    Ready(u16),
    /// The schemas have to be compared first.
    Unchecked,
}

impl Inner {
    /// The index of a method at the peer.
    pub(super) fn bind(&self, method: MethodRef) -> Result<Bound> {
        let service = std::ptr::from_ref(method.service).addr();
        if let Some(binding) = self.bindings.find(service) {
            return binding.get(method, self);
        }
        let peer = self.peer_or_error()?;
        let indices =
            method.service.methods.iter().map(|other| peer.method_index(method.service.name, other.name).ok());
        let indices = indices.collect();
        let checked = OnceLock::new();
        if fits_by_fingerprint(peer, method.service.name, method.service.fingerprint) {
            let _ = checked.set(Ok(()));
        }
        let binding = Binding { service, indices, checked, next: Bindings::default() };
        let bound = binding.get(method, self);
        self.bindings.add(binding);
        bound
    }

    /// Notes the result of a comparison.
    fn note(&self, service: &'static ServiceDescriptor, result: Result<()>) {
        if let Some(binding) = self.bindings.find(std::ptr::from_ref(service).addr()) {
            // Of two comparisons at once, the first counts.
            let _ = binding.checked.set(result);
        }
    }
}

impl Binding {
    fn get(&self, method: MethodRef, inner: &Inner) -> Result<Bound> {
        match self.checked.get() {
            None => return Ok(Bound::Unchecked),
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(())) => {}
        }
        match self.indices.get(method.index) {
            Some(Some(index)) => Ok(Bound::Ready(*index)),
            // Asked again for the words of the error.
            _ => {
                let index = inner.peer_or_error()?.method_index(method.service.name, method.descriptor()?.name)?;
                Ok(Bound::Ready(index))
            }
        }
    }
}

impl Connection {
    /// Compares the schemas of a service that stubs were generated for, and notes the result.
    pub(super) async fn check_binding(&self, service: &'static ServiceDescriptor) -> Result<()> {
        let result = self.check_service(&ServiceEntry::from(service)).await;
        // A connection that ended says nothing about the schemas.
        if result.is_ok() || self.close_reason().is_none() {
            self.inner.note(service, result.clone());
        }
        result
    }

    /// Compares the schema of a service that the peer serves with that of this side, its caller.
    pub(super) async fn check_service(&self, service: &ServiceEntry) -> Result<()> {
        let peer = self.inner.peer_or_error()?.clone();
        if peer.service(&service.name).is_none() {
            // The words of the error say what the peer has instead.
            let first = service.methods.first().map_or("", |method| &method.name);
            return peer.method_index(&service.name, first).map(|_| ());
        }
        if fits_by_fingerprint(&peer, &service.name, &service.fingerprint) || service.descriptor_set.is_empty() {
            return Ok(());
        }
        let known = {
            let state = self.inner.lock();
            let is_it = |(name, fingerprint, _): &&(String, String, Result<()>)| {
                *name == service.name && *fingerprint == service.fingerprint
            };
            state.checked.iter().find(is_it).map(|(_, _, result)| result.clone())
        };
        if let Some(result) = known {
            return result;
        }
        let theirs = self.fetch_descriptors(&peer, &service.name).await?;
        let result = check_compatible(&service.name, &service.descriptor_set, &theirs);
        let entry = (service.name.to_string(), service.fingerprint.to_string(), result.clone());
        self.inner.lock().checked.push(entry);
        result
    }

    /// Compares what the peer uses, as the caller, with what this side serves.
    pub(super) async fn check_uses(&self) -> Result<()> {
        let peer = self.inner.peer_or_error()?.clone();
        for used in &peer.uses {
            let Some((_, served)) = self.inner.router.find(&used.name) else {
                continue;
            };
            let served: Arc<ServiceEntry> = served.service().clone();
            let unknown = used.fingerprint.is_empty() || served.fingerprint.is_empty();
            if used.fingerprint == served.fingerprint || unknown || served.descriptor_set.is_empty() {
                continue;
            }
            let theirs = self.fetch_descriptors(&peer, &used.name).await?;
            check_compatible(&used.name, &theirs, &served.descriptor_set)?;
        }
        Ok(())
    }

    async fn fetch_descriptors(&self, peer: &Peer, service: &str) -> Result<Vec<u8>> {
        let request = wire::GetDescriptorsRequest { services: vec![service.to_owned()] };
        let explain = |error: Error| {
            error.map_message(|message| format!("the schema of {service} at {:?} cannot be had: {message}", peer.name))
        };
        let method = peer.method_index(REFLECTION_SERVICE, GET_DESCRIPTORS).map_err(explain)?;
        let payload = request.encode_to_vec();
        let options = CallOptions::default();
        let request = RawRequest { method, payload: &payload, end: true, options, default_timeout_ms: 10_000 };
        let response = self.unary(request).map_err(explain)?.await.map_err(explain)?;
        let response = wire::GetDescriptorsResponse::decode(response.message)
            .map_err(|error| explain(Error::internal(error.to_string())))?;
        Ok(response.file_descriptor_set)
    }
}

/// Whether the schemas are known to be the same, or there is nothing to compare.
fn fits_by_fingerprint(peer: &Peer, service: &str, fingerprint: &str) -> bool {
    match peer.service(service) {
        None => true,
        Some(theirs) => fingerprint.is_empty() || theirs.fingerprint.is_empty() || theirs.fingerprint == fingerprint,
    }
}
