"""PhysioNet 2012, trained on set A, tested on set B: python tests/benchmarks/icu_mortality.py.

The model of the healthcare notebook, three seeds, beside a logistic regression. Needs the files of
the challenge: LSTM_EXPLAIN_DATA, or a download.
"""

from __future__ import annotations

import pandas as pd

import lstm_explain as lx
from lstm_explain.backend import keras

SEEDS = (0, 1, 2)


def row(test, probabilities) -> dict[str, str]:
    table = lx.models.score_with_interval(test, probabilities, draws=1000)
    texts = {
        name: "{:.3f} ({:.3f} to {:.3f})".format(*table.loc[name]) for name in ("auroc", "auprc")
    }
    return {**texts, "calibration error": f"{lx.models.calibration_error(test, probabilities):.3f}"}


def trained(data: lx.SequenceData, *, seed: int) -> lx.TrainingRun:
    beside = lx.models.MeasuredSummaries(times="age")
    model = lx.build_model(data, units=(32,), dropout=0.5, beside=beside, seed=seed)
    return lx.train(
        model, data, epochs=30, patience=4, learning_rate=2e-3, seed=seed, progress=False
    )


def main() -> None:
    raw = lx.load_icu("physionet2012", progress=False)
    data = raw.fill_missing(indicators=True).standardise()
    rows = {"logistic regression": row(raw.test, lx.models.fit_baselines(raw)[0].predict(raw.test))}
    for seed in SEEDS:
        run = trained(data, seed=seed)
        model = run.model
        inputs = data.test.inputs_for(model)
        rows[f"LSTM, seed {seed}"] = row(data.test, model.predict(inputs, verbose=0)[:, 0])
        layers = [model.get_layer(name).output for name in ("linear_path", "head")]
        linear, correction = keras.Model(model.inputs, layers).predict(inputs, verbose=0)
        rows[f"LSTM, seed {seed}"] |= {
            "spread: linear path": f"{linear.std():.2f}",
            "LSTM": f"{correction.std():.2f}",
            "seconds": f"{run.seconds:.0f}",
        }
    print(pd.DataFrame(rows).T.fillna("").to_string())


if __name__ == "__main__":
    main()
