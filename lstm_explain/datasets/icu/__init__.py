"""Stays in intensive care: simulated ones whose rule is known, and PhysioNet 2012."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
