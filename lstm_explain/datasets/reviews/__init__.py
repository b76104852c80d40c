"""Film reviews: simulated ones whose rule is known, rt-polarity, IMDB and ERASER movies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
