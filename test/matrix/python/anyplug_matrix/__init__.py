"""The behaviours of ``test/matrix/behaviours.json``, as a host in Python tries them."""
