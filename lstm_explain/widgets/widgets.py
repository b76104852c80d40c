"""``explore``: change the inputs of a model by hand and watch prediction, attention and SHAP."""

from __future__ import annotations

from typing import Any

from ..inspection.outputs import Scale
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN
from .exploration import Exploration
from .explorer import Explorer
from .guard import guard_figures
from .text_explorer import TextExplorer
from .wording import TextExploration


def explore(
    model: Any,
    data: SequenceData,
    background: Any = None,
    *,
    sample: int = 0,
    output: int | str | None = None,
    scale: Scale = "margin",
    tolerance: float = 0.1,
    training: SequenceData | None = None,
    guard: bool = True,
) -> Explorer | TextExplorer:
    """Show a widget in which inputs are changed by hand, beside what that does to the prediction.

    Choose a sample, a variable and steps; move the slider or type a number. The picture shows data,
    attention and SHAP values before (grey) and now (dark) on one time axis. Of a text: type another
    sentence, or switch single words off. A line warns where the changed input is unlike anything in
    the training data. What the model would have said is not what would have happened.

    Where no kernel runs, a static picture of the first view stands in the widget's place. No other
    cell should depend on what was done here: `Explorer.save` keeps it.

    Parameters
    ----------
    model : keras.Model
        As in `explain`.
    data : SequenceData
        Samples to choose from, usually ``data.test``: numbers without missing values, or texts.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; not needed for texts.
    sample : int
        The sample that is shown first.
    output, scale : as in `explain`
    tolerance : float
        As in `explain`, but coarser by default, so that the picture follows the hand.
    training : SequenceData, optional
        What the ranges of the sliders and the warnings are learned from; by default the background
        where it is a SequenceData, else `data`.
    guard : bool
        Let matplotlib's IPython hooks run on the main thread only. Without it, JupyterLab 4.4 and
        later can spoil the figures of a cell that plots while a slider is moved. Stays on for the
        kernel's life; `widget_guard.release_figures` takes it off.

    Returns
    -------
    Explorer or TextExplorer
        The last expression of a cell shows it.

    Raises
    ------
    TypeError, ValueError
        `data` is no SequenceData, or has no such sample or no vocabulary; what `explain` raises.

    Examples
    --------
    >>> explore(run.model, data.test, background=data.train)  # doctest: +SKIP
    """
    if not isinstance(data, SequenceData):
        raise TypeError(
            f"Expected SequenceData, whose names and units the widget shows; received "
            f"{type(data).__name__}. Make it with SequenceData.from_arrays(values)."
        )
    if not 0 <= sample < len(data):
        raise ValueError(
            f"Expected a sample from 0 to {len(data) - 1}; received {sample}. Counting begins at 0."
        )
    if data.tokens is not None and UNKNOWN not in data.vocabulary:
        raise ValueError(
            "Expected texts with a vocabulary; received token ids without one. Make them with "
            "SequenceData.from_texts, so that their words can be shown and changed."
        )
    if guard:
        from IPython import get_ipython

        guard_figures(get_ipython())
    options = (background, output, scale, tolerance, training)
    if data.tokens is not None:
        return TextExplorer(TextExploration(model, data, *options), sample)
    return Explorer(Exploration(model, data, *options), sample)
