"""Shapley values and interactions against literal enumeration over all orders of the players."""

import games
import numpy as np
import pytest
import reference
import tiny

import lstm_explain as lx
from lstm_explain.backend import keras


def shapley(level, sample=0, **options):
    data = tiny.padded()
    return lx.shapley_values(
        tiny.model(), data.test[sample], background=data.train[:6], level=level, progress=False,
        **options,
    )  # fmt: skip


def test_features_equal_all_orders():
    groups = [(slice(None), f) for f in range(3)]
    worth, _ = games.worth_of(groups)
    expected = reference.shapley_values(worth, 3)
    np.testing.assert_allclose(shapley("feature").values[0], expected, rtol=1e-4, atol=1e-6)


def test_steps_equal_all_orders_and_sabotage_shows():
    worth, length = games.worth_of([(t, slice(None)) for t in range(6)])
    expected = reference.shapley_values(worth, length)
    values = shapley("time").values.values[0]
    np.testing.assert_allclose(values[:length], expected, rtol=1e-4, atol=1e-6)  # float32 network
    np.testing.assert_array_equal(values[length:], 0)
    for wrong in (np.roll(values[:length], 1), -values[:length], values[:length] * 1.02):
        assert np.abs(wrong - expected).max() > 100 * np.abs(values[:length] - expected).max()


def test_windows_equal_all_orders():
    worth, length = games.worth_of([(slice(0, 2), slice(None)), (slice(2, 4), slice(None)),
                              (slice(4, 6), slice(None))])  # fmt: skip
    count = -(-length // 2)
    expected = reference.shapley_values(worth, count)
    e = shapley("window", window=2)
    np.testing.assert_allclose(e.values[0, :count], expected, rtol=1e-4, atol=1e-6)
    assert list(e.values["window"].values) == ["0-1", "2-3", "4-5"]


def test_interactions_equal_the_definition():
    """All steps are players, so that the rest, which stays present, is empty."""
    data = tiny.padded()
    worth, length = games.worth_of([(t, slice(None)) for t in range(6)])
    found = lx.interactions(
        tiny.model(), data.test[0], players=range(length), background=data.train[:6]
    )
    for i in range(length):
        for j in range(i):
            expected = reference.interaction(worth, length, i, j)
            np.testing.assert_allclose(found[i, j], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(found, found.T)


def product_model():
    """Output = x[0] * x[1] + 3 x[2], one feature: all answers are known by hand."""
    inputs = keras.Input((3, 1))
    product = inputs[:, 0] * inputs[:, 1] + 3 * inputs[:, 2]
    return keras.Model(inputs, product)


def test_a_product_is_shared_and_its_interaction_found():
    x = np.array([[[2.0], [5.0], [1.0]]], "float32")
    e = lx.shapley_values(product_model(), x, background="zero", progress=False)
    np.testing.assert_allclose(e.values[0], [5, 5, 3], rtol=1e-6)
    found = lx.interactions(product_model(), x, players=[0, 1, 2], background="zero")
    np.testing.assert_allclose(found, [[0, 10, 0], [10, 0, 0], [0, 0, 0]], atol=1e-5)


def test_symmetry_and_dummy():
    x = np.array([[[2.0], [2.0], [0.0]]], "float32")
    values = lx.shapley_values(product_model(), x, background="zero", progress=False).values[0]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6)
    np.testing.assert_array_equal(values[2], 0)


@pytest.mark.slow
def test_values_sum_to_the_prediction_with_static_facts():
    data, model = tiny.padded(static=True), tiny.model(static=True)
    for level in ("time", "feature", "cell"):
        e = lx.shapley_values(
            model, data.test[:3], background=data.train, level=level, progress=False
        )
        np.testing.assert_allclose(e.gaps, 0, atol=1e-6)  # float32 sums
        assert np.abs(e.static_values).max() > 0.01


def test_sampled_values_lie_within_their_standard_errors():
    """Cells have up to 18 players: sampled, and compared with 30 times as many samples."""
    few, many = shapley("cell", budget=200 * 6, seed=1), shapley("cell", budget=30_000, seed=2)
    error = np.hypot(few.standard_errors, many.standard_errors).values[0]
    distance = np.abs(few.values - many.values).values[0]
    real = error > 0
    assert real.sum() > 12
    assert (distance[real] < 4 * error[real]).all()
    assert distance[real].max() > 0.2 * error[real].max()  # neither are the errors too wide
    shrink = few.standard_errors.max() / many.standard_errors.max()
    assert 2 < float(shrink) < 10  # about the root of 25


def test_sampling_agrees_with_enumeration(monkeypatch):
    """The same six steps, once by all coalitions and once by drawn orders."""
    exact = shapley("time")
    monkeypatch.setattr("lstm_explain.attribution.shapley.EXACT_PLAYERS", 1)
    drawn = shapley("time", budget=40_000, seed=3)
    bound = 4 * drawn.standard_errors.values + 1e-6
    assert (np.abs(drawn.values.values - exact.values.values) <= bound).all()
    assert drawn.standard_errors.values.max() < 0.05 * np.abs(exact.values.values).max()


@pytest.mark.parametrize("rows", [1, 3, 8, 20])
def test_standard_errors_are_as_large_as_the_errors(rows):
    """Random games of known values: within 1.96 standard errors in 95 % of cases, or nearly so."""
    z = games.standardised_errors(rows, count=40, repeats=8, seed=4)
    # The standard deviation of some 2,500 correlated numbers is known to about 0.03.
    assert 0.95 < z.std() < 1.1, z.std()
    assert (np.abs(z) > 1.96).mean() < 0.065, (np.abs(z) > 1.96).mean()


def test_few_pairs_have_as_wide_errors_as_student_found():
    """Two pairs of one row: so wide that 12.7 errors of a normal deviate would be 1.96 of these."""
    z = games.standardised_errors(1, count=60, repeats=10, seed=5, pairs=2)
    assert (np.abs(z) > 1.96).mean() < 0.1, (np.abs(z) > 1.96).mean()


def test_seeds_repeat():
    one, two, other = (shapley("cell", budget=500, seed=s).values for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0


def test_a_word_pair_interacts():
    """A text model that adds a bonus only where both words stand."""
    inputs = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(5, 2, name="words")(inputs)
    present = keras.ops.sum(vectors, axis=1)
    model = keras.Model(inputs, present[:, :1] * present[:, 1:])
    model.get_layer("words").set_weights([np.array([[0, 0], [0, 0], [1, 0], [0, 1], [0, 0]])])
    tokens = np.array([[2, 4, 3, 4]])  # "not", filler, "good", filler
    found = lx.interactions(model, tokens, players=[0, 1, 2], background=1)
    np.testing.assert_allclose(found, [[0, 0, 1], [0, 0, 0], [1, 0, 0]], atol=1e-6)
    e = lx.shapley_values(model, tokens, background=1, progress=False)
    np.testing.assert_allclose(e.values[0], [0.5, 0, 0.5, 0], atol=1e-6)
    with pytest.raises(ValueError, match=r'Expected level "time" \(words\) or "window"'):
        lx.shapley_values(model, tokens, background=1, level="feature")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"level": "hour"},
            r"one of \['time', 'feature', 'window', 'cell'\]; received 'hour'",
        ),
        ({"level": "window"}, 'with level="window" and only there; received .* window=None'),
        ({"level": "time", "window": 3}, "only there; received level='time', window=3"),
        (
            {"level": "cell", "budget": 0},
            "Expected budget to be a whole number of at least 1; received 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        shapley(**options)


@pytest.mark.parametrize("players", [[0], [0, 0], [0, 99], list(range(13))])
def test_impossible_pairs_are_refused(players):
    data = tiny.padded()
    with pytest.raises(ValueError, match=r"Expected 2 to 12 different real steps .* received \["):
        lx.interactions(tiny.model(), data.test[0], players=players, background=data.train)


@pytest.mark.parametrize("players", [[0.7, 1.2], [0, True], [0, "1"]])
def test_steps_that_are_no_whole_numbers_are_refused(players):
    """0.7 was read as step 0."""
    with pytest.raises(ValueError, match=r"players to be a whole .*; received (0\.7|True|'1')"):
        lx.interactions(tiny.model(), tiny.padded().test[0], players=players, background="zero")


def test_interactions_take_one_sample():
    data = tiny.padded()
    with pytest.raises(ValueError, match=r"Expected one sample; received 2. Choose one: data\[0\]"):
        lx.interactions(tiny.model(), data.test[:2], players=[0, 1], background=data.train)
