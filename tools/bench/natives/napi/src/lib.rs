//! An echo by napi-rs: a Buffer in, another out.

use napi::bindgen_prelude::{BufferSlice, Env, Result};
use napi_derive::napi;

/// Returns the same bytes in a Buffer of their own.
#[napi]
pub fn echo<'env>(env: &'env Env, data: BufferSlice<'env>) -> Result<BufferSlice<'env>> {
    BufferSlice::copy_from(env, &*data)
}
