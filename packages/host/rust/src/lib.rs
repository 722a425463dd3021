//! Loads anyplug plugins: manifest, discovery, loadPlugin.
