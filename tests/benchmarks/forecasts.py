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
from lstm_explain.models.quantiles import central_forecasts, score_quantiles

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
    test, forecasts = data.test, {}  # the target is in MW
    for one in lx.models.fit_baselines(data):
        errors = data.validation.target - one.predict(data.validation)
        each = one.predict(test)[..., None] + np.quantile(errors, QUANTILES, axis=0).T
        forecasts[one.name] = [each.reshape(len(test), -1)]
    runs = trained(data, QUANTILES, epochs=60, patience=10, learning_rate=3e-3)
    forecasts["LSTM"] = [lx.predict(run.model, test) for run in runs]
    rows = {}
    for name, each in forecasts.items():
        shares = [central_forecasts(one, QUANTILES) / test.target - 1 for one in each]
        scores = [score_quantiles(test, one, QUANTILES) for one in each]
        rows[name] = {"MAPE": _mean_and_spread([100 * np.mean(np.abs(one)) for one in shares])}
        for score in ("pinball", "coverage"):
            rows[name][score] = _mean_and_spread([one[score] for one in scores])
    print(pd.DataFrame(rows).T.to_string(), flush=True)


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
