"""The internals."""
