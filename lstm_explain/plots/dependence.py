"""``plot_dependence``: the SHAP values of one variable against its values."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.stats import spearmanr

from ..attribution.explanation import Explanation
from ..wording import fixed, label_of, plain, with_unit, wrapped
from . import content, validation
from .style import SIZES, STYLE, ink, name_panel, open_panels, tidy, write_heading

# Above so many points each is smaller and paler, so that crowds of them can be told apart.
_MANY = 400


def plot_dependence(
    explanation: Explanation, name: str, *, color_by: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the SHAP values of a variable or static fact against its values, over all samples.

    A variable has one point for each step of each sample at which it was measured, a static fact
    one for each sample. What is spread upwards at one value is what the others add: colour by one
    of them.

    Parameters
    ----------
    explanation : Explanation
        Of several samples, per cell.
    name : str
        Of a variable (a feature without parts) or a static fact.
    color_by : str, optional
        Of another one, at the same step.
    ax : Axes, optional
        Replaced by the panel, in a figure with constrained layout. By default a new figure.

    Returns
    -------
    Axes
        Its notes have Spearman's rank correlation, which is about 0 also where the values rise and
        fall.

    Raises
    ------
    ValueError
        There is no such variable or fact, or it was never measured.

    Examples
    --------
    >>> plot_dependence(explanation, "lactate", color_by="age")    # doctest: +SKIP
    """
    caller = "plot_dependence"
    explanation = validation.need_explanation(explanation, caller)
    validation.need_level(explanation, ("cell",), caller)
    explanation = explanation.over_variables()
    label, data, values = _column(explanation, name)
    shade, shades = "", np.zeros(data.shape)
    if color_by is not None:
        shade, shades, _ = _column(explanation, color_by)
        if data.ndim < shades.ndim:
            raise ValueError(
                f"Expected color_by to be a static fact, as {name!r} is; received {color_by!r}, "
                "which has a value for each step."
            )
        shades = shades if shades.ndim == data.ndim else shades[:, None]
        shades = np.broadcast_to(shades, data.shape)
    known = np.isfinite(data) & np.isfinite(values)
    if not known.any():
        raise ValueError(
            f"Expected {name!r} to be measured in some sample; it is missing at every step."
        )
    place = open_panels(ax, [3.6], [1.0], width=7.6)
    ax = place.add(0, 0, label="dependence")
    many = known.sum() > _MANY
    look: dict[str, Any] = {"s": 10 if many else 26, "alpha": 0.7, "linewidths": 0.3}
    look |= {"edgecolors": "#00000060", "color": STYLE.importance}
    if shade:
        look |= {"c": shades[known], "cmap": SIZES, "plotnonfinite": True, "color": None}
    points = ax.scatter(data[known], values[known], **look)
    ax.axhline(0, color=ink(), linewidth=0.8, zorder=0)
    tidy(ax, grid="y")
    name_panel(ax, f"{explanation.value_name}\n({content.explained(explanation)})")
    ax.set_xlabel(label, fontsize=STYLE.small)
    _write_codes(ax.xaxis, explanation, name, data[known])
    if shade:
        bar = place.figure.colorbar(points, ax=ax, fraction=0.04, pad=0.02, aspect=30)
        bar.ax.tick_params(labelsize=STYLE.small)
        bar.set_label(wrapped(shade, 40), fontsize=STYLE.small)
        _write_codes(bar.ax.yaxis, explanation, str(color_by), shades[known])
    per = "measured step" if data.ndim > 1 else "sample"
    notes = [f"{known.sum():,} points: one per {per} of {len(explanation):,} samples"]
    if np.ptp(data[known]) and np.ptp(values[known]):
        rank = spearmanr(data[known], values[known]).statistic
        notes.append(f"rank correlation {fixed(float(rank), 2, sign=True)}")
    title = f"{plain(name)}: {explanation.value_name} against value"
    shown = [content.absent(explanation), f"coloured by {shade}" if shade else ""]
    write_heading(ax, [title], notes, place, "Scatter plot", shown)
    place.figure.sca(ax)
    return ax


def _column(explanation: Explanation, name: str) -> tuple[str, np.ndarray, np.ndarray]:
    """Return a label, and the data and SHAP values (sample, time) or (sample,) of a variable."""
    features, facts = explanation.feature_names, explanation.static_data
    if name in features:
        at = features.index(name)
        label = with_unit(name, explanation.units[at])
        real = explanation.mask.values
        data = np.where(real, explanation.data.values[..., at], np.nan)
        return label, data, explanation.values.values[..., at]
    names = [] if facts is None else [str(one) for one in facts["static_feature"].values]
    if facts is None or explanation.static_values is None or name not in names:
        raise ValueError(
            f"Expected the name of a variable or static fact, one of {[*features, *names]}; "
            f"received {name!r}."
        )
    at = names.index(name)
    units = explanation.to_dataset()["static_unit"].values
    return (
        with_unit(name, units[at]),
        facts.values[:, at].astype(np.float64),
        explanation.static_values.values[:, at],
    )


def _write_codes(axis: Any, explanation: Explanation, name: str, values: np.ndarray) -> None:
    """Write what codes stand for in place of their numbers."""
    labels = explanation.labels.get(name, {})
    codes = np.unique(values[np.isfinite(values)])
    if labels:
        axis.set_ticks(codes, [plain(label_of(code, labels), 14) for code in codes])
    else:
        axis.set_major_locator(MaxNLocator(6))
