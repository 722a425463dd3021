"""What generated code imports, one module for each version of that contract."""

__all__ = ()
