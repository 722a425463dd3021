"""The plugin that the benchmark calls."""
