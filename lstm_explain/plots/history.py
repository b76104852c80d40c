"""``plot_history``: losses of a training run, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..wording import score_text
from .figure import describe
from .style import STYLE, ink, single_axes, tidy


def plot_history(run: Any, *, ax: Axes | None = None) -> Axes:
    """Draw training and validation loss of each epoch, and mark the epoch that was kept.

    Parameters
    ----------
    run : TrainingRun, its history, or what Keras' ``fit`` returned
    ax : Axes, optional
        Where to draw. By default a new figure.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import pandas as pd
    >>> losses = pd.DataFrame({"loss": [1.0, 0.6, 0.5], "validation_loss": [1.1, 0.8, 0.9]})
    >>> plot_history(losses).get_title(loc="left")
    'best epoch: 2 of 3, validation loss 0.800'
    """
    table = _need_history(run)
    ax = single_axes(ax, (7.0, 3.6))
    epochs, losses = np.arange(1, len(table) + 1), {"training": table["loss"].to_numpy(float)}
    title = f"training loss over {len(table)} epoch{'s' * (len(table) != 1)}"
    if "validation_loss" in table and table["validation_loss"].notna().any():
        validation = losses["validation"] = table["validation_loss"].to_numpy(float)
        best = int(np.nanargmin(validation))
        loss = score_text(validation[best])
        title = f"best epoch: {best + 1} of {len(table)}, validation loss {loss}"
        ax.axvline(epochs[best], color=STYLE.padding, linewidth=1.2, zorder=0)
        ax.plot(epochs[best], validation[best], "o", color=STYLE.importance, markersize=8)
    for (name, curve), colour in zip(losses.items(), (ink(), STYLE.importance), strict=False):
        marker = "." if len(curve) <= 30 else ""
        ax.plot(epochs, curve, color=colour, linewidth=1.6, marker=marker, label=name)
    ax.legend(frameon=False, fontsize=STYLE.text)
    describe(ax, "Training and validation loss by epoch", title)
    ax.set_title(title, loc="left", fontsize=STYLE.title, fontweight="bold")
    ax.set_xlabel("epoch", fontsize=STYLE.text)
    ax.set_ylabel("loss", fontsize=STYLE.text)
    ax.set_xlim(0.5, len(table) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    tidy(ax, grid="y")
    return ax


def _need_history(run: object) -> pd.DataFrame:
    """Return the losses of each epoch of a training run, a Keras History, or a table.

    Columns are ``loss`` and, if there is one, ``validation_loss``.
    """
    table = getattr(run, "history", run)
    if isinstance(table, dict):
        table = pd.DataFrame(table)
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            "Expected a TrainingRun, its history or a Keras History in plot_history; received "
            f"{type(run).__name__}. Pass what lx.train(model, data) returned."
        )
    # Keras shortens the name.
    table = table.rename(columns={"val_loss": "validation_loss"})
    if "loss" not in table or len(table) == 0:
        raise ValueError(
            "Expected at least one epoch with a loss in plot_history; received "
            f"{len(table)} epochs with {[str(c) for c in table.columns]}. Pass what "
            "lx.train(model, data) returned."
        )
    return table
