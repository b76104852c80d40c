"""Data sets: one loader per module, each giving a ``SequenceData``."""
