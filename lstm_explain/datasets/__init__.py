"""Data sets: one file or folder each, ending in ``load_<name>`` that gives a ``SequenceData``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
