"""One file per figure. A plot takes an object and an optional ``ax`` and returns the axes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
