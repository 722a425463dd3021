"""The plugin that the tests of agents load: one of everything that a plugin can add to an agent."""

__all__ = ()
