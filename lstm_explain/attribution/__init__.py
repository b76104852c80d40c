"""The attribution."""
