"""anyplug for Python."""
