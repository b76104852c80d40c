"""Validation that several figures share."""

from __future__ import annotations

import pandas as pd

from ..attribution.explanation import Explanation


def need_explanation(explanation: object, caller: str, *, several: bool = False) -> Explanation:
    """Return the explanation if it holds samples, of one output or of several."""
    if not isinstance(explanation, Explanation):
        raise TypeError(
            f"Expected an Explanation in {caller}; received {type(explanation).__name__}. Make one "
            "with lx.explain(model, data, background=data.train)."
        )
    if len(explanation) == 0:
        raise ValueError(
            f"Expected at least one sample in {caller}; received none. Check the slice."
        )
    if not several:
        return explanation.check_one_output()
    if "output" not in explanation.values.dims:
        raise ValueError(
            f"Expected an explanation of several outputs in {caller}; received one of one. Explain "
            'them together: lx.explain(model, data, background=data.train, output="all").'
        )
    return explanation


def need_one(explanation: object, caller: str) -> Explanation:
    """Return the explanation if it is one of exactly one sample."""
    explanation = need_explanation(explanation, caller)
    if len(explanation) != 1:
        raise ValueError(f"Expected one sample, received {len(explanation)}: use {caller}(e[0]).")
    return explanation


def need_level(explanation: Explanation, levels: tuple[str, ...], caller: str) -> None:
    """Raise if the values are per something else."""
    if explanation.level not in levels:
        remedy = "Give an explanation as lx.explain returned it"
        if "time" not in levels:
            remedy += "; plot_timeline draws values per step"
        raise ValueError(
            f"Expected values per {' or per '.join(levels)} in {caller}; received values per "
            f"{explanation.level}. {remedy}."
        )


def what_is(thing: object) -> str:
    """Return what was received instead: the columns of a table, or a type."""
    if isinstance(thing, pd.DataFrame):
        return f"the columns {[str(column) for column in thing.columns]}"
    return type(thing).__name__
