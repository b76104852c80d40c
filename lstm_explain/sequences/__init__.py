"""The sequences."""
