"""What is moved by hand: explorers of inputs, and a text read gate by gate."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
