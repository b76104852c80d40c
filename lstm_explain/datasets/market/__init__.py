"""Daily prices of an index, baseline forecasts of volatility, and a test between forecasts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
