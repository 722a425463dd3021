"""A client and a server in Python under the RPC conformance suite of Connect."""
