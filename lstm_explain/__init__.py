"""Explain what an LSTM predicted: attention maps and SHAP values for Keras sequence models.

>>> import lstm_explain as lx
>>> data = lx.load_market()                                     # doctest: +SKIP
>>> run = lx.train(lx.build_model(data), data)                  # doctest: +SKIP
>>> explanation = lx.explain(run.model, data.test[:16], background=data.train)  # doctest: +SKIP
>>> lx.plot_heatmap(explanation[0])                             # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sequences import SequenceData as SequenceData

__version__ = "0.1.0"

# Where each public name lives. Names are imported when first used, so that importing this package
# loads neither Keras nor its backend, shap or matplotlib.
_HOME = {
    "SequenceData": "sequences",
}

__all__ = sorted(_HOME)  # noqa: PLE0605  (a computed list, tested)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lstm_explain' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
