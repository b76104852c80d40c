"""Models of several targets: each is trained, scored and explained as it would be alone."""

import re
from functools import lru_cache

import numpy as np
import pytest
from networks import randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras
from lstm_explain.inspection.question import prepare
from lstm_explain.models.scores import constant_baseline, score
from lstm_explain.widgets.samples import orders, samples_of, ways
from lstm_explain.wording import MINUS

DAYS, COMPLAINTS = ("day 1", "day 2"), ("pain", "fever")
VALUES = np.random.default_rng(4).normal(size=(60, 4, 2))
SUMS = np.stack([VALUES[..., 0].sum(axis=1), VALUES[:, -1, 1] + 3.0], axis=1)


@lru_cache
def made(task, sizes=(1.0, 1.0)):
    """Two numbers, or two labels of which 0, 1 or 2 hold."""
    target = SUMS * sizes if task == "regression" else SUMS > [0.0, 3.0]
    names = DAYS if task == "regression" else COMPLAINTS
    return SequenceData.from_arrays(VALUES, target, target_names=names).split_by_group(0.2, 0.2)


@lru_cache
def flat(task, columns=(0, 1)):
    """Return a model that is linear before its output, with some columns of one with two."""
    inputs = keras.Input((4, 2))
    head = keras.layers.Dense(len(columns), "sigmoid" if task == "labels" else None)
    model = keras.Model(inputs, head(keras.layers.Flatten()(inputs)))
    weights = np.random.default_rng(5).normal(size=(9, 2))[:, list(columns)]
    model.set_weights([weights[:8], weights[8]])
    return model


@lru_cache
def trained(task, sizes=(1.0, 1.0)):
    data = made(task, sizes)
    model = lx.build_model(data, units=(3,), attention_units=2, seed=1, beside=None)
    return lx.train(model, data, epochs=3, learning_rate=0.03, batch_size=20, progress=False)


def explained(task, output, **options):
    data = made(task)
    return lx.explain(
        flat(task), data.test[:5], background=data.train, output=output, progress=False, **options
    )


# -- training --------------------------------------------------------------------------------------
@pytest.mark.parametrize("task", ["regression", "labels"])
def test_the_loss_is_the_mean_of_the_losses_of_each_target(task):
    """Squared errors in units of each target's variance, or nats: by hand, at the last epoch."""
    data, run = made(task), trained(task)
    part = data.validation
    outputs = run.model.predict(part.inputs_for(run.model), verbose=0).astype(float)
    if task == "regression":
        losses = ((outputs - part.target) ** 2).mean(axis=0) / data.train.target.var(axis=0)
    else:
        losses = -np.log(np.where(part.target == 1, outputs, 1 - outputs)).mean(axis=0)
    assert run.history["validation_loss"].argmin() == 2
    np.testing.assert_allclose(run.history["validation_loss"].min(), losses.mean(), rtol=1e-5)


def test_a_target_in_large_numbers_does_not_outweigh_the_others():
    """In other units of one target the model learns the same."""
    one, other = trained("regression"), trained("regression", (1.0, 1000.0))
    np.testing.assert_allclose(one.history, other.history, rtol=1e-3)
    for name, factor in zip(DAYS, (1.0, 1000.0), strict=True):
        rmse = f"rmse of {name}"
        np.testing.assert_allclose(other.metrics[rmse], factor * one.metrics[rmse], rtol=1e-3)


def test_a_run_is_shown_with_the_means():
    run = trained("regression")
    scores = repr(run).split("test ")[1].split(";")[0]
    assert re.findall(rf"(\w+) [{MINUS}\d.]+", scores) == ["rmse", "mae", "r2"]


@pytest.mark.parametrize("task", ["regression", "labels"])
def test_a_saved_run_predicts_the_same(task, tmp_path):
    run, test = trained(task), made(task).test
    again = lx.TrainingRun.load(run.save(tmp_path))
    assert again.metrics == run.metrics
    before, after = (model.predict(test.values, verbose=0) for model in (run.model, again.model))
    np.testing.assert_array_equal(before, after)


def test_a_model_of_other_targets_or_in_another_order_is_refused():
    data, run = made("regression"), trained("regression")
    turned = SequenceData.from_arrays(VALUES, SUMS[:, ::-1], target_names=DAYS[::-1])
    with pytest.raises(ValueError, match=r"trained on, in their order \['day 1', 'day 2'\]; rece"):
        lx.explain(run.model, turned[:2], background=data.train, output="day 1", progress=False)
    with pytest.raises(ValueError, match=r"outputs of shape \(sample, 2\) .*received \(None, 1\)"):
        lx.train(flat("regression", (0,)), data, progress=False)


# -- scores ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("task", "metric"), [("regression", "rmse"), ("regression", "r2"), ("labels", "auroc")]
)
def test_scores_are_those_of_each_target_alone_and_their_mean(task, metric, rng):
    part = made(task).test
    predictions = rng.random((len(part), 2))
    scores = score(part, predictions)
    alone = [
        score(part.for_target(name), predictions[:, column])
        for column, name in enumerate(part.target_names)
    ]
    for name, one in zip(part.target_names, alone, strict=True):
        assert {key: scores[f"{key} of {name}"] for key in one} == one
    assert scores[metric] == np.mean([one[metric] for one in alone])
    if metric == "rmse":
        errors = np.sqrt(((predictions - part.target) ** 2).mean(axis=0))
        np.testing.assert_allclose([one[metric] for one in alone], errors, rtol=1e-12)


def test_a_score_that_one_target_lacks_has_no_mean():
    """Of a label that all have there is no AUROC."""
    data = SequenceData.from_arrays(
        VALUES[:4], [[0, 1], [1, 1], [0, 1], [1, 1]], target_names=COMPLAINTS
    )
    scores = score(data, np.full((4, 2), 0.5))
    assert scores["auroc of pain"] == 0.5
    assert not {"auroc", "auroc of fever"} & scores.keys()
    assert scores["accuracy"] == 0.75


@pytest.mark.parametrize("task", ["regression", "labels"])
def test_the_baseline_is_the_training_mean_of_each_target(task):
    data = made(task)
    means = data.train.target.mean(axis=0)
    np.testing.assert_allclose(constant_baseline(data), np.tile(means, (len(data.test), 1)))
    assert trained(task).baselines["constant"] == score(data.test, constant_baseline(data))


def test_tables_of_scores_have_the_rows_of_each_target(rng):
    part = made("labels").test
    one, other = rng.random((2, len(part), 2))
    intervals = lx.models.score_with_interval(part, one, draws=50)
    differences = lx.models.score_difference(part, one, other, draws=50)
    for column, name in enumerate(COMPLAINTS):
        alone = part.for_target(name)
        for table, expected in (
            (intervals, lx.models.score_with_interval(alone, one[:, column], draws=50)),
            (
                differences,
                lx.models.score_difference(alone, one[:, column], other[:, column], draws=50),
            ),
        ):
            rows = table.loc[[f"{metric} of {name}" for metric in expected.index]]
            np.testing.assert_array_equal(rows.to_numpy(), expected.to_numpy())
    assert len(intervals) == 2 * len(expected)


@pytest.mark.parametrize("task", ["regression", "labels"])
def test_predictions_of_one_target_are_not_spread_over_all(task):
    part = made(task).test
    message = rf"shape \({len(part)}, 2\); received \({len(part)}, 1\).*for each of \['"
    for call in (score, lx.models.score_with_interval):
        with pytest.raises(ValueError, match=f"Expected predictions of {message}"):
            call(part, np.full((len(part), 1), 0.5))


def test_what_takes_one_target_says_so():
    part = made("labels").test
    message = r"Expected one target; received 2. Take one: data.for_target\('pain'\)"
    with pytest.raises(ValueError, match=message):
        lx.models.reliability(part, np.full((len(part), 2), 0.5))
    alone = part.for_target("pain")
    table = lx.models.reliability(alone, np.full(len(part), 0.5), bins=1)
    assert table["observed"].tolist() == [part.target[:, 0].mean()]


# -- explanations ----------------------------------------------------------------------------------
@pytest.mark.parametrize("task", ["regression", "labels"])
def test_each_target_is_explained_as_by_a_model_of_it_alone(task):
    """Of a linear margin the values are weight times distance from the background's mean."""
    data, together = made(task), explained(task, "all")
    assert together.output.values.tolist() == list(data.target_names)
    weights, _ = flat(task).get_weights()
    distance = data.test[:5].values - data.train.values.mean(axis=0)
    for column, name in enumerate(data.target_names):
        single = flat(task, (column,))
        alone = lx.explain(
            single, data.for_target(name).test[:5], background=data.train.values, progress=False
        )
        values = together.for_output(name).values
        np.testing.assert_allclose(values, weights[:, column].reshape(4, 2) * distance, atol=1e-5)
        np.testing.assert_allclose(values, alone.values, atol=1e-5)
        assert (alone.output == name).all()


def test_the_truth_beside_a_value_is_that_of_its_target(tmp_path):
    part = made("regression").test[:5]
    together = lx.Explanation.load(explained("regression", "all").save(tmp_path / "all.nc"))
    np.testing.assert_allclose(together.target, part.target)
    for column, name in enumerate(DAYS):
        np.testing.assert_allclose(together.for_output(name).target, part.target[:, column])
        np.testing.assert_allclose(explained("regression", name).target, part.target[:, column])
    assert explained("regression", "day 2-day 1").target is None
    fever = np.where(made("labels").test[:5].target[:, 1] == 1, "fever", "not fever")
    assert explained("labels", "fever").target.values.tolist() == fever.tolist()


@pytest.mark.parametrize(("task", "output"), [("regression", "day 2"), ("labels", "pain")])
def test_the_question_is_asked_again_by_the_name_of_the_target(task, output, tmp_path):
    e = lx.Explanation.load(explained(task, output).save(tmp_path / "one.nc"))
    again = question_of(flat(task), e)
    assert set(again.selection.names) == {output}
    assert again.data.target_names == made(task).target_names


def test_which_number_is_explained_must_be_said():
    with pytest.raises(ValueError, match=r"which of 2 values .*one of \['day 1', 'day 2'\]"):
        explained("regression", None)


def test_the_classes_of_one_sigmoid_are_not_called_by_the_names_of_two_labels():
    data, model = made("labels"), flat("labels", (0,))
    e = lx.explain(model, data.test[:2], background=data.train, progress=False)
    assert e.output.values.tolist() == ["output 1"] * 2
    assert e.target is None
    flip = lx.inspection.smallest_change(model, data.test[:1], "feature 0", training=data.train)
    assert {flip.before, flip.after} <= {"class 0", "class 1"}


@pytest.mark.parametrize("task", ["regression", "labels"])
def test_the_explorer_has_no_most_wrong_sample_of_several_targets(task):
    data = made(task)
    name = data.target_names[1]
    one = prepare(flat(task), data.test[:1], data.train, name, "last", "margin", None, None)
    assert "most wrong" not in ways(one, data)
    ranked = orders(one, data, samples_of(one, data, range(len(data))))
    assert list(ranked) == ways(one, data)
    if task == "regression":
        highest = flat(task).predict(data.values, verbose=0)[:, 1].argmax()
        assert ranked["highest prediction"][0] == highest


def test_an_own_network_of_labels_is_explained_by_their_names():
    """Also where nothing is linear: the probability of a label is its own sigmoid."""
    data = made("labels")
    inputs = keras.Input((4, 2))
    states = keras.layers.LSTM(3)(inputs)
    model = randomised(keras.Model(inputs, keras.layers.Dense(2, "sigmoid")(states)))
    e = lx.explain(
        model, data.test[:5], background=data.train, output="fever", scale="probability",
        progress=False,
    )  # fmt: skip
    expected = model.predict(data.test[:5].values, verbose=0)[:, 1]
    np.testing.assert_allclose(e.predictions, expected, rtol=1e-5)
