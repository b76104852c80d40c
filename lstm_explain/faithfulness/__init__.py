"""The faithfulness."""
