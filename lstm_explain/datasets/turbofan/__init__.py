"""Engines that run to failure: simulated ones whose faults are known, and NASA's C-MAPSS FD001."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
