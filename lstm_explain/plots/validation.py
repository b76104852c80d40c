"""Checks of what a figure is asked to draw: each error says the remedy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..attribution.explanation import Explanation
from ..sequences.data import SequenceData

_SHARES = ["predicted", "observed", "low", "high"]


def need_explanation(explanation: object, caller: str) -> Explanation:
    """Return the explanation if it is one that holds samples."""
    if not isinstance(explanation, Explanation):
        raise TypeError(
            f"Expected an Explanation in {caller}; received {type(explanation).__name__}. Make one "
            "with lx.explain(model, data, background=data.train)."
        )
    if len(explanation) == 0:
        raise ValueError(
            f"Expected at least one sample in {caller}; received none. Check the slice."
        )
    return explanation


def need_one(explanation: object, caller: str) -> Explanation:
    """Return the explanation if it is one of exactly one sample."""
    explanation = need_explanation(explanation, caller)
    if len(explanation) != 1:
        raise ValueError(f"Expected one sample, received {len(explanation)}: use {caller}(e[0]).")
    return explanation


def need_two(explanation: object, caller: str) -> Explanation:
    """Return the explanation if it is one of two samples and of one output."""
    explanation = need_explanation(explanation, caller)
    if len(explanation) != 2:
        raise ValueError(
            f"Expected two samples in {caller}, the recorded one and the changed one; received "
            f"{len(explanation)}. Take two, e[[0, 1]], or make them by lx.compare."
        )
    outputs = [str(name) for name in explanation.output.values]
    if outputs[0] != outputs[1]:
        raise ValueError(
            f"Expected two explanations of one output in {caller}; received {outputs}. Name it: "
            f"lx.explain(..., output={outputs[0]!r})."
        )
    return explanation


def need_level(explanation: Explanation, levels: tuple[str, ...], caller: str, remedy: str) -> None:
    """Raise with the remedy if the values stand at another level."""
    if explanation.level not in levels:
        raise ValueError(
            f"Expected values per {' or per '.join(levels)} in {caller}; received values per "
            f"{explanation.level}. {remedy}"
        )


def need_feature(explanation: Explanation, feature: str) -> int:
    """Return the position of a feature that is asked for by name."""
    if feature not in explanation.feature_names:
        raise ValueError(
            f"Expected feature to be one of {explanation.feature_names}; received {feature!r}."
        )
    return explanation.feature_names.index(feature)


def need_positive(number: float, name: str) -> None:
    """Raise if a number is not above 0."""
    if not number > 0:
        raise ValueError(f"Expected {name} above 0; received {number}. Leave it out for a default.")


def need_history(run: object) -> pd.DataFrame:
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


def need_sample(data: object, caller: str) -> SequenceData:
    """Return the data if it is one sample of measurements."""
    if not isinstance(data, SequenceData):
        raise TypeError(
            f"Expected a SequenceData in {caller}; received {type(data).__name__}. Pass one sample "
            "of what lx.load_icu() returns: data.test[3]."
        )
    if data.tokens is not None:
        raise ValueError(
            f"Expected measurements in {caller}; received a text. Read its words: data.words."
        )
    if len(data) != 1:
        raise ValueError(
            f"Expected one sample in {caller}; received {len(data)}. Take one: data.test[3]."
        )
    return data


def need_step(at: object, data: SequenceData) -> int | None:
    """Return a step of the only sample as its position, or None."""
    steps = int(data.lengths[0])
    if at is None:
        return None
    if not isinstance(at, int | np.integer) or not 0 <= at < steps:
        raise ValueError(
            f"Expected at to be a step from 0 to {steps - 1}, in whole steps; received {at!r}. "
            "Leave it out for the last values."
        )
    return int(at)


def need_ranges(ranges: object) -> pd.DataFrame | None:
    """Return a table of reference ranges, or None."""
    wanted = ["reference_low", "reference_high"]
    if ranges is None:
        return None
    if not isinstance(ranges, pd.DataFrame) or not set(wanted) <= set(ranges.columns):
        raise ValueError(
            f"Expected ranges with the columns {wanted} and one row per variable; received "
            f"{_what(ranges)}. Pass lx.datasets.icu_reference_ranges() or a table like it."
        )
    if not ranges.index.is_unique:
        twice = ranges.index[ranges.index.duplicated()][0]
        raise ValueError(
            f"Expected ranges with one row per variable; received several of {twice!r}. Keep one."
        )
    return ranges


def need_tables(table: object) -> dict[str, pd.DataFrame]:
    """Return tables of predicted and observed shares by the name of their model.

    A single table has the name "". A bin without samples is left out.
    """
    if isinstance(table, pd.DataFrame) and table.index.nlevels > 1:
        table = {name: table.xs(name) for name in dict.fromkeys(table.index.get_level_values(0))}
    tables = dict(table) if isinstance(table, Mapping) else {"": table}
    found = {str(name): _shares(name, one) for name, one in tables.items()}
    if not found:
        raise ValueError(
            "Expected at least one table in plot_reliability; received none. Pass what "
            "lx.models.reliability(data, probabilities) returned."
        )
    return found


def _shares(name: object, table: object) -> pd.DataFrame:
    remedy = "Pass what lx.models.reliability(data, probabilities) returned."
    what = f"table {name!r}" if name else "table"
    if not isinstance(table, pd.DataFrame) or not {*_SHARES, "count"} <= set(table.columns):
        raise ValueError(
            f"Expected a {what} with the columns {[*_SHARES, 'count']} in plot_reliability; "
            f"received {_what(table)}. {remedy}"
        )
    bins: pd.DataFrame = table[[*_SHARES, "count"]].astype(float)
    bins = bins[(bins["count"] > 0) & bins[["predicted", "observed"]].notna().all(axis=1)]
    if bins.empty:
        raise ValueError(
            f"Expected a {what} with at least one bin that holds samples in plot_reliability; "
            f"received none. {remedy}"
        )
    least, most = float(bins[_SHARES].min(axis=None)), float(bins[_SHARES].max(axis=None))
    if least < 0 or most > 1:
        raise ValueError(
            f"Expected shares from 0 to 1 in the {what}; received {least:g} to {most:g}. Divide "
            "percentages by 100."
        )
    return bins.sort_values("predicted")


def _what(thing: object) -> str:
    if isinstance(thing, pd.DataFrame):
        return f"the columns {[str(column) for column in thing.columns]}"
    return type(thing).__name__
