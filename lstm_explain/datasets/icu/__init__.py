"""The icu."""
