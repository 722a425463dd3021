//! Memories and states as they come over a line protocol: free JSON, of which what is known must be of its kind, and null is absence.

use anyplug_contracts::agent::{ActionResult, Json, Memory, ProviderResult, State};
use anyplug_core::Result;

fn present(value: Option<&Json>) -> Option<&Json> {
    value.filter(|value| !value.is_null())
}

/// The memory in a message. INVALID_ARGUMENT names what is wrong in it.
pub(crate) fn memory_from(value: Option<&Json>) -> Result<Memory> {
    present(value).map_or_else(|| Ok(Memory::default()), |value| Memory::from_json(value, "memory"))
}

/// The state in a message; an empty one for null.
pub(crate) fn state_from(value: Option<&Json>) -> Result<State> {
    present(value).map_or_else(|| Ok(State::default()), |value| State::from_json(value, "state"))
}

/// What a provider answered.
pub(crate) fn provider_from(value: Option<&Json>) -> Result<ProviderResult> {
    present(value).map_or_else(|| Ok(ProviderResult::default()), |value| ProviderResult::from_json(value, "result"))
}

/// What an action or an evaluator answered; a success for null, which means that there is nothing to tell.
pub(crate) fn result_from(value: Option<&Json>) -> Result<ActionResult> {
    present(value).map_or_else(|| Ok(ActionResult::success()), |value| ActionResult::from_json(value, "result"))
}
