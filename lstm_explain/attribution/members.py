"""What an explanation of several models keeps of each, and which values are stable over them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from ..arguments import check_number

_KEPT = ("values", "static_values", "predictions")


def with_members(mean: xr.Dataset, each: Sequence[xr.Dataset]) -> xr.Dataset:
    """Put what several models give beside the explanation of their mean, in a last dimension.

    Attention becomes the mean of the members' weights, where all of them have some.
    """
    added = {
        f"member_{name}": (
            (*mean[name].dims, "member"),
            np.stack([one[name].values for one in each], axis=-1),
        )
        for name in _KEPT
        if name in mean
    }
    # The averaged model has a layer for each member, of which that of the last would be shown.
    dataset = mean.drop_vars(["attention", "attention_contribution"], errors="ignore")
    if all("attention" in one for one in each):
        weights = np.mean([one["attention"].values for one in each], axis=0)
        dataset["attention"] = (("sample", "time"), weights)
    facts = json.loads(mean.attrs["provenance"]) | {"members": len(each)}
    dataset = dataset.assign_attrs(provenance=json.dumps(facts))
    return dataset.assign(added).assign_coords(member=np.arange(1, len(each) + 1))


def are_stable(values: np.ndarray, members: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Return which values another seed would have named too: see `Explanation.stable`.

    Parameters
    ----------
    values : array (...)
    members : array (..., member)
    share : float
        Share of the members whose value has the same sign.

    Examples
    --------
    >>> are_stable(np.array([2.0, 0.5]), np.array([[1.9, 2.1], [-1.0, 2.0]])).tolist()
    [True, False]
    """
    agree = (np.sign(members) == np.sign(values)[..., None]).mean(axis=-1) >= share
    errors = members.std(axis=-1, ddof=1) / np.sqrt(members.shape[-1])
    return agree & (values != 0) & (np.abs(values) >= 2 * errors)


def stable_values(values: xr.DataArray, members: xr.DataArray | None, share: float) -> xr.DataArray:
    """Return `are_stable` of labelled values: see `Explanation.stable`."""
    check_number(above=0.5, most=1, remedy="Try 1.", share=share)
    if members is None:
        raise ValueError(
            "Expected an explanation of several models; received one of a single model. Explain "
            "models trained with several seeds: lx.explain([model, ...], data)."
        )
    return values.copy(data=are_stable(values.values, members.values, share)).rename("stable")
