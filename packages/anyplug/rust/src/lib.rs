//! Any runtime loads any plugin.
