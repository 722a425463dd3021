//! What a linker has to be told of an addon.

fn main() {
    napi_build::setup();
}
