//! Messages of the anyplug control plane: wire, plugin, options and reflection.
