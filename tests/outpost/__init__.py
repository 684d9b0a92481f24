"""The outpost's tests: no sockets, a store in memory, and a small issuer that really signs."""
