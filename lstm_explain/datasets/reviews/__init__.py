"""The reviews."""
