"""Twenty trials each: the verdict accepts the true explanation and rejects three false ones."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.backend import keras
from lstm_explain.faithfulness import randomisation

TRIALS, SAMPLES, STEPS, FEATURES = 10, 30, 6, 4


def made_data(seed, permuted=False):
    """A sum over the steps of one feature and a product of two others decide."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, STEPS, FEATURES)).astype(np.float32)
    score = x[:, :, 0].sum(axis=1) + 2 * x[:, 1, 1] * x[:, 4, 2]
    target = (score > 0).astype(int)
    if permuted:
        target = rng.permutation(target)
    return SequenceData.from_arrays(x, target, class_names=["no", "yes"], name="trials")


@pytest.fixture(scope="module")
def network():
    """One network that every trial trains anew: what is compiled for it is compiled once."""
    data = made_data(0)
    model = lx.build_model(data, units=(8,), attention_units=4, seed=0, beside=None)
    model.compile(keras.optimizers.Adam(0.02), loss="binary_crossentropy")
    start = [np.array(weight) for weight in model.get_weights()]

    def trained(data, seed):
        rng = np.random.default_rng(seed)
        model.set_weights([w + 0.05 * rng.normal(size=w.shape) for w in start])
        for variable in model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        model.optimizer.learning_rate = 0.02
        fed = data.inputs_for(model)
        model.fit(fed, data.target[:, None], epochs=12, batch_size=30, shuffle=False, verbose=0)
        return model

    return trained


def explained(model, data):
    return lx.explain(model, data[:SAMPLES], background=data[-40:], output=1, progress=False)


def forged(explanation, values):
    dataset = explanation.to_dataset()
    return Explanation(dataset.assign(values=(explanation.values.dims, np.asarray(values))))


@pytest.mark.long
def test_verdicts_over_ten_trials(network, monkeypatch):
    """Of 10 each: at least 9 true explanations accepted, none of any false kind."""
    copies = {}

    def copied(model, original=randomisation.copied):
        copy = copies.setdefault(id(model), None) or original(model)
        copies[id(model)] = copy
        copy.set_weights(model.get_weights())
        return copy

    # The same copy in every trial: nothing is compiled twice.
    monkeypatch.setattr(randomisation, "copied", copied)
    accepted = {"true": 0, "permuted": 0, "constant": 0, "other model": 0}
    for trial in range(TRIALS):
        rng = np.random.default_rng(1000 + trial)
        data = made_data(trial)
        # Trained on permuted labels, asked about the same samples.
        model = network(made_data(trial, permuted=True), seed=trial)
        other = explained(model, data).values.values
        model = network(data, seed=trial)
        true = explained(model, data)
        size = true.values.shape[1:]
        difference = (true.predictions - true.base_values).values[:, None, None]
        values = {
            "true": true.values.values,
            "permuted": rng.permuted(true.values.values.reshape(SAMPLES, -1), axis=1).reshape(
                true.values.shape
            ),
            "constant": np.ones((SAMPLES, *size)) * difference / np.prod(size),
            "other model": other,
        }
        for name, array in values.items():
            report = lx.check_faithfulness(
                model, forged(true, array), draws=200, seed=trial, progress=False
            )
            accepted[name] += report.verdict().accepted is True
    assert accepted["true"] >= TRIALS - 1, accepted
    assert max(accepted[name] for name in accepted if name != "true") == 0, accepted
