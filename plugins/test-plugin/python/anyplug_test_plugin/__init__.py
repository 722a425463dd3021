"""The plugin that anyplug's own tests load."""
