"""Training keeps the best weights, repeats itself, and says what it does."""

import sys
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import tiny
from marks import slow_but

import lstm_explain as lx
from lstm_explain import SequenceData, backend
from lstm_explain.backend import keras
from lstm_explain.models import training
from lstm_explain.models.scores import constant_baseline, score
from lstm_explain.progress import progress_bar

pytestmark = pytest.mark.slow

TASKS = ["regression", "binary", "multiclass"]


def plain(target="binary", samples=60, steps=4):
    """Data without padding and a model without recurrence, which is quick to compile."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(samples, steps, 2))
    sums = values.sum(axis=(1, 2))
    labels = {"binary": np.where(sums > 0, "up", "down"), "regression": sums}[target]
    data = SequenceData.from_arrays(values, labels).split_by_group(0.2, 0.2)
    inputs = keras.Input((steps, 2))
    outputs = keras.layers.Dense(1, "sigmoid" if target == "binary" else None, name="head")
    return data, keras.Model(inputs, outputs(keras.layers.Flatten()(inputs)))


def trained(task):
    """Data and a finished run of each kind of task, one of them with static facts."""
    static = task == "regression"
    return tiny.padded(task, static), tiny.run(task, static)


def outputs(model, part):
    """What the model predicts, by a plain call: cheaper to start than predict()."""
    return np.asarray(keras.ops.convert_to_numpy(model(part.inputs_for(model))))


def loss(model, data):
    """The validation loss by hand: nats, or squared errors over the training target's variance."""
    part = data.validation
    if data.task != "regression":
        return score(part, outputs(model, part))["log_loss"]
    errors = outputs(model, part)[:, 0] - part.target
    return (errors**2).mean() / data.train.target.var()


# -- the run ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("task", slow_but(TASKS, "binary"))
def test_the_weights_kept_are_those_of_the_best_epoch(task):
    """Whether training stopped early or ran to the end; the last epoch was not the best.

    The losses are compared by value: those of a regression are in units of the variance.
    """
    data, run = trained(task)
    losses = run.history["validation_loss"]
    assert losses.iloc[-1] > 1.02 * losses.min(), "or else there is nothing to restore"
    best = min(losses.min(), loss(tiny.untrained(task, task == "regression"), data))
    # float32 sums in other batches
    np.testing.assert_allclose(loss(run.model, data), best, rtol=1e-4)


@pytest.mark.parametrize("task", slow_but(TASKS, "binary"))
def test_history_has_one_row_per_epoch_until_patience_ends(task):
    losses = trained(task)[1].history
    assert list(losses.columns) == ["loss", "validation_loss"]
    assert losses.index.name == "epoch"
    assert losses.index.tolist() == list(range(len(losses)))
    # Two are the patience, after the start or after the best epoch.
    assert len(losses) in (8, 2, losses["validation_loss"].argmin() + 1 + 2)
    assert np.isfinite(losses.to_numpy()).all()


@pytest.mark.slow
def test_same_seed_same_numbers():
    """Weights, metrics and history, on the same machine."""
    one = trained("binary")[1]
    two = tiny.run.__wrapped__("binary", False)
    assert one.model is not two.model
    assert one.metrics == two.metrics
    pd.testing.assert_frame_equal(one.history, two.history, check_exact=True)
    for a, b in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_seed_decides_the_order_of_samples():
    """The test above can fail: from equal weights, another seed goes another way."""
    losses = []
    for seed in (0, 1):
        data, model = plain()
        model.get_layer("head").set_weights([np.ones((8, 1)), np.zeros(1)])
        run = lx.train(model, data, epochs=1, batch_size=4, seed=seed, progress=False)
        losses.append(run.history["loss"][0])
        assert run.seed == seed
    assert losses[0] != losses[1]


@pytest.mark.parametrize("task", slow_but(TASKS, "binary"))
def test_metrics_are_those_of_the_kept_model_on_the_test_part(task):
    data, run = trained(task)
    expected = score(data.test, outputs(run.model, data.test))
    assert run.metrics.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(run.metrics[name], value, rtol=1e-5)  # float32
    assert run.baselines["constant"] == score(data.test, constant_baseline(data))
    table = run.to_frame()
    plain = "linear regression" if task == "regression" else "logistic regression"
    assert table.index.tolist() == ["constant", plain, "this model"]
    assert table.loc["this model"].to_dict() == run.metrics


@pytest.mark.slow
def test_training_learns():
    """A sum of numbers is learnt almost perfectly, far beyond the constant."""
    data, model = plain("regression", samples=200)
    run = lx.train(model, data, epochs=25, learning_rate=0.1, patience=25, progress=False)
    assert run.metrics["r2"] > 0.99
    assert run.baselines["constant"]["r2"] < 0.05
    assert repr(run).startswith(f"TrainingRun: {len(run.history)} epochs, test rmse 0.")
    assert run.seconds > 0


def test_baselines_are_scored_beside_the_model():
    data, model = plain()
    truth = (data.test.target == 1).astype(float)
    run = lx.train(
        model, data, epochs=1, baselines={"oracle": truth, "liar": 1 - truth}, progress=False
    )
    assert list(run.baselines) == ["constant", "logistic regression", "oracle", "liar"]
    assert run.baselines["oracle"]["accuracy"] == 1
    assert run.baselines["liar"]["auroc"] == 0
    assert run.baselines["constant"]["auroc"] == 0.5


def test_a_run_says_whether_the_model_is_better_than_a_regression(capsys, tmp_path):
    """A sum of numbers is what a regression knows; their sign at one step it cannot know."""
    data, model = plain("regression", samples=400)
    run = lx.train(model, data, epochs=1)
    said = run.against_baseline
    assert (said.baseline, said.score, said.verdict) == ("linear regression", "rmse", "worse")
    assert said.of_baseline == run.baselines["linear regression"]["rmse"]
    assert f"This model is {said}." in capsys.readouterr().out
    assert str(said) in repr(run)
    run.save(tmp_path)
    assert lx.TrainingRun.load(tmp_path).against_baseline == said
    product = replace(data, target=np.prod(np.sign(data.values[:, 0]), axis=1))
    run = lx.train(product_of_signs(), product, epochs=1, learning_rate=1e-9, progress=False)
    assert run.against_baseline.verdict == "better"


def product_of_signs():
    """A model that knows: the product of two features' signs at the first step."""
    inputs = keras.Input((4, 2))
    known = keras.layers.Lambda(lambda x: keras.ops.prod(keras.ops.sign(x[:, 0]), -1, True))(inputs)
    head = keras.layers.Dense(1, kernel_initializer="ones", name="head")
    return keras.Model(inputs, head(known))


def test_the_regression_can_be_left_out(capsys):
    data, model = plain()
    run = lx.train(model, data, epochs=1, fit_baseline=False)
    assert list(run.baselines) == ["constant"]
    assert run.against_baseline is None
    assert "This model is" not in capsys.readouterr().out


@pytest.mark.slow
def test_what_a_model_did_before_does_not_change_its_training():
    """Keras moves its dropout on in predict too; training starts from the seed all the same."""
    data = tiny.padded()
    losses = []
    for used in (False, True):
        model = lx.build_model(data, units=(4,), dropout=0.3, beside=None)
        if used:
            model.predict(data.inputs_for(model), verbose=0)
        losses.append(lx.train(model, data, epochs=2, seed=5, progress=False).history)
    np.testing.assert_array_equal(losses[0].to_numpy(), losses[1].to_numpy())


def test_training_never_leaves_a_model_worse_on_the_validation_part(capsys):
    """Its start is the best by far, and the steps are large."""
    data, model = plain("regression")
    start = [np.ones((8, 1)), np.zeros(1)]  # the target is the sum
    model.get_layer("head").set_weights(start)
    run = lx.train(model, data, epochs=9, patience=2, learning_rate=1.0)
    assert len(run.history) == 2
    for kept, first in zip(run.model.get_layer("head").get_weights(), start, strict=True):
        np.testing.assert_array_equal(kept, first)
    assert ", none improved it." in capsys.readouterr().out


# -- interrupted -----------------------------------------------------------------------------------
def interrupt(monkeypatch, after_epochs):
    """Press Ctrl-C in the middle of the epoch that follows so many."""

    def stop(self, batch, logs=None):
        if len(self.rows) == after_epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.Recorder, "on_train_batch_end", stop, raising=False)


def test_an_interrupt_keeps_the_best_weights_so_far(monkeypatch):
    """Steps so large that the second epoch is worse: neither its weights nor a third's stay."""
    interrupt(monkeypatch, after_epochs=2)
    data, model = plain()
    model.get_layer("head").set_weights([np.ones((8, 1)), np.zeros(1)])
    run = lx.train(model, data, epochs=9, batch_size=8, learning_rate=2.0, progress=False)
    losses = run.history["validation_loss"]
    assert len(losses) == 2
    assert losses[1] > losses[0]
    np.testing.assert_allclose(loss(run.model, data), losses[0], rtol=1e-5)
    assert run.interrupted
    assert repr(run).startswith("TrainingRun: 2 epochs (interrupted), test accuracy")
    by_hand = score(data.test, outputs(run.model, data.test))["log_loss"]
    np.testing.assert_allclose(run.metrics["log_loss"], by_hand, rtol=1e-5)


def test_an_interrupt_in_the_first_epoch_ends_the_call(monkeypatch):
    """There is nothing to keep; the next call trains as if nothing had been."""
    data, model = plain()
    with monkeypatch.context() as patched:
        interrupt(patched, after_epochs=0)
        with pytest.raises(KeyboardInterrupt):
            lx.train(model, data, epochs=3, progress=False)
    assert not lx.train(model, data, epochs=1, progress=False).interrupted


# -- saving ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("task", slow_but(["binary", "regression"], "binary"))
def test_a_loaded_run_is_equal_in_every_field(task, tmp_path):
    """Predictions to the last bit, numbers to the last digit."""
    data, run = trained(task)
    run = replace(run, seed=7, interrupted=True)
    folder = run.save(tmp_path / "new" / "run")
    assert folder == tmp_path / "new" / "run"
    loaded = lx.TrainingRun.load(str(folder))
    for field in fields(run):
        if field.name not in ("model", "history"):
            assert repr(getattr(loaded, field.name)) == repr(getattr(run, field.name)), field.name
    pd.testing.assert_frame_equal(loaded.history, run.history, check_exact=True)
    one, two = (outputs(r.model, data) for r in (run, loaded))
    np.testing.assert_array_equal(one, two)
    assert repr(loaded) == repr(run)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found no run.json in .*Give the folder that run"):
        lx.TrainingRun.load(tmp_path)


# -- what it says ----------------------------------------------------------------------------------
def test_it_says_where_it_trains_and_how_far_it_came(capsys):
    data, model = plain()
    run = lx.train(model, data, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Training on {run.device}."
    assert lines[1].startswith("2 epochs in ")
    assert lines[1].endswith(f"best {run.history['validation_loss'].argmin() + 1}.")
    lx.train(model, data, epochs=1, progress=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("devices", "kind", "line"),
    [
        (("cpu:0",), "CPU", "CPU (no GPU is visible to {})"),
        (("cpu:0", "gpu:0", "gpu:1"), "GPU", "GPU (gpu:0 is visible to {})"),
    ],
)
def test_the_device_is_the_first_gpu_or_the_cpu_and_says_why(monkeypatch, devices, kind, line):
    monkeypatch.setattr(backend, "_DEVICES", devices)
    device = backend.find_device()
    assert device.kind == kind
    assert str(device) == line.format(keras.backend.backend())


def test_a_notebook_keeps_the_progress_as_one_line_of_text(monkeypatch):
    """One display, updated in place: no widget, which is empty where no kernel runs."""
    shown = []

    class Handle:
        def display(self, content, raw):
            shown.append(("new", content))

        update = lambda self, content, raw: shown.append(("same", content))  # noqa: E731

    class Shell:
        kernel = None

    import IPython
    import IPython.display

    assert "IPython" in sys.modules
    monkeypatch.setattr(IPython, "get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "DisplayHandle", Handle)
    bar = progress_bar(2, "training", "epoch")
    bar.update()
    bar.update()
    bar.close()
    kinds = [kind for kind, _ in shown]
    assert kinds[0] == "new"
    assert set(kinds[1:]) == {"same"}
    assert "training:" in shown[0][1]["text/plain"]


# -- refused ---------------------------------------------------------------------------------------
def nothing_to_predict():
    return replace(plain()[0], target=None)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (nothing_to_predict(), {}, "a target to train on; received none. Give target="),
        (replace(plain()[0], split=None), {}, r"its train part; .*Call data.split_by_time"),
        (
            replace(plain()[0], target=np.zeros(60, int), class_names=("up",)),
            {},
            "at least two classes; received only 'up'. Check how",
        ),
        (replace(plain()[0], values=np.full((60, 4, 2), np.nan)), {}, "received nan in 'feature"),
        (plain(steps=5)[0], {}, "4 steps for the model input .* received 5. Use the same steps"),
        (tiny.padded("multiclass"), {}, r"shape \(sample, 3\) for this multiclass target"),
        (plain()[0], {"epochs": 0}, "epochs to be a whole number"),
        (plain()[0], {"batch_size": 0}, "batch_size to be a whole number"),
        (plain()[0], {"learning_rate": float("nan")}, "finite number above 0; received nan"),
        (
            plain()[0],
            {"baselines": {"x": np.zeros((12, 2))}},
            r"shape \(12,\); received \(12, 2\). Give one probability per sample, of the second",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_before_training(data, options, message, monkeypatch):
    """Said at once, and the model is as it was."""
    _, model = plain()
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("training began"))
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        lx.train(model, data, progress=False, **options)
    assert not model.compiled


@pytest.mark.parametrize("lost", ["validation", "test"])
def test_data_without_a_part_is_refused(lost):
    data, model = plain()
    labels = np.where(data.split == lost, "train", data.split)
    with pytest.raises(ValueError, match=rf"samples in train.*'{lost}': 0.*split_by_group"):
        lx.train(model, replace(data, split=labels), progress=False)
    # A label that is none of the three is refused where the data is made.
    with pytest.raises(ValueError, match=r"received shape \(60,\) with .*'tran'"):
        replace(data, split=np.where(labels == "train", "tran", data.split))


def test_what_is_no_keras_model_is_refused():
    with pytest.raises(TypeError, match=r"received str\. Load it: lx\.load_model"):
        lx.train("model", plain()[0])


def test_diverged_training_is_said_with_its_remedy():
    data, model = plain("regression")
    with pytest.raises(
        ValueError, match=r"received NaN or infinity after all 3\. Training div.* lower le"
    ):
        lx.train(model, data, epochs=3, learning_rate=1e38, progress=False)
