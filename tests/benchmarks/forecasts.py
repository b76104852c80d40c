"""Forecasts of real series beside plain ones: python tests/benchmarks/forecasts.py TASK ...

etth1_24, etth1_96: oil temperature of a transformer (ETTh1) 24 and 96 hours ahead from the last 96
hours of all seven columns; 12, 4 and 4 months of 30 days, as the papers split them; errors in
standard deviations of the first part, a window every hour. demand: electricity of Victoria one day
ahead in half hours, with temperature and holidays known in advance; MAPE of the median and mean
pinball loss of 10, 50 and 90 %. A baseline's quantiles are its forecast plus those of its errors on
the validation part, by step ahead.

Two decoders are trained, three seeds; the one with the lower validation loss over the seeds is
scored on the test part. Needs LSTM_EXPLAIN_DATA to name a folder that holds ``ett/ETTh1.csv`` and
``vic_elec/vic_elec.csv``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import lstm_explain as lx

SEEDS = (0, 1, 2)
DECODERS = ("direct", "attention")
QUANTILES = (0.1, 0.5, 0.9)
MONTH = pd.Timedelta(days=30)


def etth1(horizon: int) -> lx.SequenceData:
    frame = pd.read_csv(
        Path(os.environ["LSTM_EXPLAIN_DATA"]) / "ett" / "ETTh1.csv", parse_dates=["date"]
    )
    frame = frame[frame["date"] < frame["date"].min() + 20 * MONTH]
    data = lx.SequenceData.from_series(
        frame,
        time="date",
        target="OT",
        features=[name for name in frame.columns if name not in ("date", "OT")],
        horizon=horizon,
        history=96,
        name="ETTh1",
    )
    begin = frame["date"].min()
    return data.split_by_time(begin + 12 * MONTH, begin + 16 * MONTH).standardise()


def trained(
    data: lx.SequenceData, quantiles: tuple[float, ...] | None, **options: Any
) -> list[lx.TrainingRun]:
    """Return the runs, one for each seed, of the decoder that the validation part prefers."""
    runs = {}
    for decoder in DECODERS:
        runs[decoder] = []
        for seed in SEEDS:
            model = lx.build_forecaster(data, decoder=decoder, quantiles=quantiles, seed=seed)
            run = lx.train(model, data, seed=seed, progress=False, fit_baseline=False, **options)
            runs[decoder].append(run)
            loss = run.history["validation_loss"].min()
            print(
                f"{decoder}, seed {seed}: validation loss {loss:.4f}, {len(run.history)} epochs "
                f"in {run.seconds:.0f} s",
                flush=True,
            )
    losses = {
        decoder: np.mean([run.history["validation_loss"].min() for run in each])
        for decoder, each in runs.items()
    }
    preferred = min(losses, key=losses.get)
    print(f"preferred: {preferred}")
    return runs[preferred]


def print_errors(horizon: int) -> None:
    data = etth1(horizon)
    print(data, flush=True)
    forecasts = {one.name: [one.predict(data.test)] for one in lx.models.fit_baselines(data)}
    runs = trained(data, None, epochs=10, patience=3, batch_size=128)
    forecasts["LSTM"] = [lx.predict(run.model, data.test) for run in runs]
    # The target is the first feature, standardised with the others by the training part.
    to_levels = data.target_scale / data.scale[0]
    rows = {}
    for name, each in forecasts.items():
        errors = [(np.reshape(one, data.test.target.shape) - data.test.target) for one in each]
        errors = [error * to_levels for error in errors]
        rows[name] = {
            "MSE": _mean_and_spread([np.mean(error**2) for error in errors]),
            "MAE": _mean_and_spread([np.mean(np.abs(error)) for error in errors]),
        }
    print(pd.DataFrame(rows).T.to_string(), flush=True)


def print_quantiles() -> None:
    data = lx.load_demand("vic_elec")
    print(data, flush=True)
    happened = _in_units(data, data.test.target)
    forecasts = {}
    for one in lx.models.fit_baselines(data):
        errors = (data.validation.target - one.predict(data.validation)) * data.target_scale
        spread = np.quantile(errors, QUANTILES, axis=0)
        forecasts[one.name] = [_in_units(data, one.predict(data.test)) + spread]
    runs = trained(data, QUANTILES, epochs=60, patience=10, learning_rate=3e-3)
    forecasts["LSTM"] = []
    for run in runs:
        each = lx.predict(run.model, data.test).reshape(*happened.shape, -1)
        forecasts["LSTM"].append(_in_units(data, np.moveaxis(each, -1, 0)))
    rows = {}
    for name, each in forecasts.items():
        middle = [np.mean(np.abs(one[1] - happened) / happened) for one in each]
        rows[name] = {
            "MAPE": _mean_and_spread([100 * error for error in middle]),
            "pinball": _mean_and_spread([_pinball(one, happened) for one in each]),
            "coverage": _mean_and_spread(
                [np.mean((one[0] <= happened) & (happened <= one[2])) for one in each]
            ),
        }
    print(pd.DataFrame(rows).T.to_string(), flush=True)


def _in_units(data: lx.SequenceData, standardised: np.ndarray) -> np.ndarray:
    return standardised * data.target_scale + data.target_center


def _pinball(forecasts: np.ndarray, happened: np.ndarray) -> float:
    """Return the mean over quantiles (Koenker and Bassett 1978)."""
    shares = np.reshape(QUANTILES, (-1, *[1] * happened.ndim))
    errors = happened - forecasts
    return float(np.mean(np.maximum(shares * errors, (shares - 1) * errors)))


def _mean_and_spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ({np.std(values, ddof=1):.3f})"


def main(tasks: list[str]) -> None:
    for task in tasks or ["etth1_24", "etth1_96", "demand"]:
        if task == "demand":
            print_quantiles()
        else:
            print_errors(int(task.removeprefix("etth1_")))


if __name__ == "__main__":
    main(sys.argv[1:])
