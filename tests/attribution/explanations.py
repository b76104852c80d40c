"""Explanations whose sums are known."""

import json

import numpy as np
import xarray as xr

from lstm_explain import Explanation

DAYS = np.array("2020-03-30", "datetime64[D]")


def made(lengths=(3, 5, 1, 4), features=3, static=True, times="days", seed=0):
    """An explanation of random numbers, laid out as `explain` lays it out; gaps are 0.25."""
    rng = np.random.default_rng(seed)
    samples, steps = len(lengths), max(lengths)
    mask = np.arange(steps) < np.array(lengths)[:, None]
    cell = ("sample", "time", "feature")
    values = np.where(mask[..., None], rng.normal(size=(samples, steps, features)), 0)
    base_values = rng.normal(size=samples)
    total = base_values + values.sum(axis=(1, 2))
    variables = {
        "values": (cell, values),
        "base_values": ("sample", base_values),
        "mask": (cell[:2], mask),
        "data": (cell, np.where(mask[..., None], rng.normal(size=values.shape), np.nan)),
        "unit": ("feature", np.array(["mg", "1/min", "", "µg"][:features])),
        "output": ("sample", np.array(["died", "left"])[np.arange(samples) % 2]),
        "target": ("sample", np.array(["left", "died"])[np.arange(samples) % 2]),
        "ids": ("sample", np.array([f"Zoë {i}" for i in range(samples)])),
        "attention": (cell[:2], mask / np.array(lengths)[:, None]),
    }
    if static:
        facts = rng.normal(size=(2, samples, 2))
        variables["static_values"] = (("sample", "static_feature"), facts[0])
        variables["static_data"] = (("sample", "static_feature"), facts[1])
        variables["static_unit"] = ("static_feature", np.array(["years", ""]))
        total = total + facts[0].sum(axis=1)
    variables["predictions"] = ("sample", total + 0.25)
    if times is not None:
        step = np.arange(steps) + 10 * np.arange(samples)[:, None]
        clock = {
            "days": DAYS + step,
            "hours": DAYS.astype("datetime64[s]") + step.astype("timedelta64[h]"),
            "numbers": step * 0.5,
        }[times]
        nowhere = 0.0 if times == "numbers" else np.datetime64("NaT")
        variables["times"] = (cell[:2], np.where(mask, clock, nowhere))
    coordinates = {
        "sample": np.arange(samples),
        "time": np.arange(steps),
        "feature": ["dose", "pulse", "noise", "rate"][:features],
    }
    provenance = {"method": "dice", "scale": "margin", "background": "3 dice", "seed": None}
    attributes = {
        "time_name": "hour",
        "target_unit": "log %²",
        "provenance": json.dumps(provenance | {"masked": True, "sizes": [1, 2]}),
    }
    if static:
        coordinates["static_feature"] = ["age", "bmi"]
    return Explanation(xr.Dataset(variables, coordinates, attributes))


def total(e):
    """The sum of everything that was attributed, per sample, by NumPy alone."""
    result = e.values.values.reshape(len(e), -1).sum(axis=1)
    return result if e.static_values is None else result + e.static_values.values.sum(axis=1)


VERBS = {
    "over_time": lambda e: e.over_time(),
    "over_features": lambda e: e.over_features(),
    "over_windows": lambda e: e.over_windows(length=2),
}
