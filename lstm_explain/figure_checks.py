"""Checks of what a figure is asked to draw: each error says the remedy."""

from __future__ import annotations

import pandas as pd

from .explanation import Explanation


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
