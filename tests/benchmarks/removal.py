"""What a model answers without what any ranking of its cells, steps or words puts first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from lstm_explain import SequenceData
from lstm_explain.faithfulness.removal import (
    SHARES,
    all_players,
    outputs_by_share,
    places_of,
    real_players,
)
from lstm_explain.inspection.outputs import Scale
from lstm_explain.inspection.question import Question, prepare
from lstm_explain.sequences.inputs import Role


def removal_outputs(
    model: Any,
    data: SequenceData | np.ndarray,
    scores: np.ndarray | xr.DataArray,
    *,
    background: Any = None,
    output: int | str | None = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    shares: Sequence[float] = SHARES,
    keep: bool = False,
    seed: int = 0,
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Return what a model answers without the top share of each sample's cells, steps or words.

    The scores may come from anywhere: SHAP values, attention, another package, random numbers. With
    p the prediction, ``p - removal_outputs(...)`` is the comprehensiveness of a ranking, and
    ``p - removal_outputs(..., keep=True)`` its sufficiency.

    Parameters
    ----------
    model : keras.Model
    data : SequenceData or array (sample, time, feature)
    scores : array (sample, time) or (sample, time, feature)
        The highest are removed first; scores on padded steps are ignored. For a text (sample,
        time). Give ``abs(...)`` where the size decides, not the sign.
    background : SequenceData, Background, array, "zero" or "mean"
        What replaces absent cells.
    output : int or str, optional
        Position or name of the explained output. By default each sample's predicted class.
    step : int, "last" or "sum"
        Which step's output, for a model with one output per step.
    scale : {"margin", "probability"}
    shares : sequence of float
        Of the real cells or steps, each above 0 and up to 1, rounded to whole ones, at least one.
    keep : bool
        Keep the top share and remove all others. Static facts always stay.
    seed : int
        Of the random order in which equal scores are removed.
    batch_size : int, optional
        Rows per call of the model.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataArray (sample, share)
        The explained output, a mean over the background rows.

    Raises
    ------
    ValueError
        Scores of another shape or with NaN, shares out of range, or what `explain` refuses.

    References
    ----------
    DeYoung et al. (2020), "ERASER: A benchmark to evaluate rationalized NLP models", equations 1
    and 2.

    Examples
    --------
    >>> without = removal_outputs(model, data.test, e.attention, background=data.train,
    ...                           shares=[0.2])                          # doctest: +SKIP
    >>> float((e.predictions - without[:, 0]).mean())                    # doctest: +SKIP
    """
    _check_shares(shares)
    question = prepare(model, data, background, output, step, scale, batch_size, inputs)
    array = np.asarray(scores, np.float64)
    level = "cell" if array.ndim == 3 else "time"
    _check_scores(array, question, level)
    players = all_players(question, level)
    real = real_players(players, question.subject.mask)
    flat = np.zeros(real.shape)
    flat[:, : array[0].size] = array.reshape(len(array), -1)
    places = places_of(flat, real, np.random.default_rng(seed))
    outputs = outputs_by_share(question, players, places[None], shares, (keep,), progress)
    return xr.DataArray(
        outputs[0, 0],
        dims=("sample", "share"),
        coords={"sample": np.arange(len(flat)), "share": list(shares)},
        name="only" if keep else "without",
    )


def _check_shares(shares: Sequence[float]) -> None:
    if len(shares) == 0 or not all(0 < share <= 1 for share in shares):
        raise ValueError(
            f"Expected shares above 0 and up to 1; received {list(shares)}. Try (0.05, 0.2)."
        )


def _check_scores(scores: np.ndarray, question: Question, level: str) -> None:
    shape = question.subject.values.shape
    if question.anatomy.embedding_layers and level == "cell":
        raise ValueError(
            f"Expected scores of words, of shape {shape[:2]}, for a text; received {scores.shape}. "
            "Sum them over the embedding."
        )
    if scores.shape != shape[: scores.ndim] or scores.ndim < 2:
        raise ValueError(
            f"Expected scores of shape {shape[:2]} (sample, time) or {shape} (sample, time, "
            f"feature); received {scores.shape}. Give one score per step or per cell of the data."
        )
    if np.isnan(scores[question.subject.mask]).any():
        raise ValueError(
            "Expected scores without NaN on real steps; received some. Say where they stand in the "
            "ranking: fill them with 0, or with the lowest score."
        )
