"""Forecasts of five seeds: python tests/benchmarks/volatility_forecasts.py."""

from __future__ import annotations

import pandas as pd

import lstm_explain as lx
from lstm_explain.datasets.market.baselines import compare_forecasts, gjr_garch, har, persistence

FEATURES = ["log variance", "return", "downside return"]

if __name__ == "__main__":
    data = lx.load_market("sp500")
    forecasts = {"5-day mean": persistence(data), "HAR": har(data), "GJR-GARCH": gjr_garch(data)}
    for seed in range(5):
        path = lx.models.TrailingMeans(FEATURES, spans=(1, 5, 22), penalty=0)
        model = lx.build_model(data, units=(32,), beside=path, seed=seed)
        lx.train(
            model, data, epochs=40, batch_size=128, learning_rate=2e-3, patience=8, seed=seed,
            progress=False,
        )  # fmt: skip
        predicted = model.predict(data.values, batch_size=1024, verbose=0)[:, 0]
        forecasts[f"LSTM on HAR, seed {seed}"] = predicted
    parts = {part: compare_forecasts(data, forecasts, part=part) for part in ("validation", "test")}
    print(pd.concat(parts, axis=1).round(4).to_string())
    seeds = parts["test"].filter(like="seed", axis=0)
    print(seeds[["QLIKE", "R2"]].agg(["mean", "std"]).round(4).to_string())
