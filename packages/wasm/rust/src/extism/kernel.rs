//! What an Extism plugin has of its host: blocks, input and output, configuration, variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyplug_core::{Error, Instant};

use crate::extism::blocks::Blocks;
use crate::extism::http::Http;
use crate::extism::options::Terms;

/// What one instance has.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    pub(crate) terms: Arc<Terms>,
    pub(crate) blocks: Blocks,
    /// Where the input is; 0: there is none.
    pub(crate) input: u64,
    pub(crate) input_bytes: u64,
    output: (u64, u64),
    pub(crate) error: u64,
    pub(crate) http: Http,
    /// They stay from call to call.
    vars: BTreeMap<Vec<u8>, Vec<u8>>,
    var_bytes: u64,
    /// When the call has to be over at the latest.
    pub(crate) until: Instant,
}

impl Kernel {
    pub(crate) fn new(terms: Arc<Terms>) -> Self {
        Self { terms, ..Self::default() }
    }

    /// A call begins, and has to be over then.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when there is no room for the input.
    pub(crate) fn begin(&mut self, name: &str, input: &[u8], until: Instant) -> Result<(), Error> {
        let limit = self.terms.wasm.max_memory_bytes;
        let bytes = input.len() as u64;
        if !self.blocks.has_room(bytes, limit) {
            let message = format!(
                "an input of {bytes} bytes for plugin \"{name}\" is over the limit of {limit}; raise wasm.max_memory_bytes"
            );
            return Err(Error::resource_exhausted(message));
        }
        self.until = until;
        self.input = self.blocks.put(input.to_vec());
        self.input_bytes = bytes;
        self.blocks.keep(self.input);
        Ok(())
    }

    /// Says what the output is, if that is within a block.
    pub(crate) fn set_output(&mut self, at: u64, length: u64) -> bool {
        let fits = length == 0 || self.blocks.range(at, length).is_some();
        if fits {
            self.output = (at, length);
            self.blocks.keep(at);
        }
        fits
    }

    /// Says what the error is, if that is a block; 0: there is none.
    pub(crate) fn set_error(&mut self, at: u64) -> bool {
        let fits = at == 0 || self.blocks.get(at).is_some();
        if fits {
            self.error = at;
            self.blocks.keep(at);
        }
        fits
    }

    /// The call has ended: its output, or the text of its error. Nothing of it is left.
    pub(crate) fn end(&mut self) -> Result<Vec<u8>, String> {
        let error = self.blocks.get(self.error).map(|text| String::from_utf8_lossy(text).into_owned());
        let (at, length) = self.output;
        let output = if length == 0 { Vec::new() } else { self.blocks.take(at, length).unwrap_or_default() };
        self.blocks.clear();
        (self.input, self.input_bytes, self.output, self.error) = (0, 0, (0, 0), 0);
        self.http.end();
        error.map_or(Ok(output), Err)
    }

    /// The value of a variable.
    pub(crate) fn var(&self, key: &[u8]) -> Option<&[u8]> {
        self.vars.get(key).map(Vec::as_slice)
    }

    /// Forgets a variable.
    pub(crate) fn remove_var(&mut self, key: &[u8]) {
        if let Some(value) = self.vars.remove(key) {
            self.var_bytes -= (key.len() + value.len()) as u64;
        }
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// What all of them would take then, when that is over the limit.
    pub(crate) fn set_var(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), u64> {
        let before = self.vars.get(&key).map_or(0, |value| key.len() + value.len()) as u64;
        let bytes = self.var_bytes - before + (key.len() + value.len()) as u64;
        if bytes > self.terms.max_var_bytes {
            return Err(bytes);
        }
        self.var_bytes = bytes;
        self.vars.insert(key, value);
        Ok(())
    }
}
