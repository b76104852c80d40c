"""The inspection."""
