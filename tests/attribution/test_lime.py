"""LIME against the literal regression, the package's own explainer, and models known by hand."""

import sys

import games
import numpy as np
import pytest
import reference
import tiny
from matplotlib.text import Text
from networks import randomised
from sklearn.metrics import pairwise_distances

import lstm_explain as lx
from lstm_explain.attribution.lime import _lime_base, distances_of, draw, fit
from lstm_explain.backend import keras
from lstm_explain.faithfulness.case import open_case

pytestmark = pytest.mark.slow

L = keras.layers


def lime(sample=0, **options):
    data = tiny.padded()
    options = {"background": data.train[:6], "progress": False, **options}
    return lx.lime_values(tiny.model(), data.test[sample], **options)


def linear():
    """A weighted sum of 4 steps of 3 features: no two players do anything together."""
    rng = np.random.default_rng(5)
    weights, values = rng.normal(size=(4, 3)), rng.normal(size=(15, 4, 3)).astype("float32")
    model = keras.Sequential([keras.Input((4, 3)), L.Flatten(), L.Dense(1)])
    model.layers[-1].set_weights([weights.reshape(-1, 1), np.array([0.3])])
    return model, values[:2], values[2:], weights * (values[:2] - values[2:].mean(axis=0))


@pytest.mark.parametrize(
    ("level", "window", "axes"), [("time", None, 2), ("feature", None, 1), ("window", 2, None)]
)
def test_of_a_linear_model_values_are_its_coefficients(level, window, axes):
    model, x, rows, cells = linear()
    expected = cells.sum(axis=axes or 2)
    if window:
        expected = expected.reshape(2, 2, 2).sum(axis=2)
    options = {"background": rows, "level": level, "window": window, "progress": False}
    e = lx.lime_values(model, x, ridge=0, samples=60, **options)
    np.testing.assert_allclose(e.values, expected, atol=1e-5)
    shapley = lx.shapley_values(model, x, **options)
    np.testing.assert_allclose(e.values, shapley.values, atol=1e-5)
    np.testing.assert_allclose(e.base_values, shapley.base_values, atol=1e-5)
    np.testing.assert_allclose(e.r_squared, 1, atol=1e-9)
    np.testing.assert_allclose(e.standard_errors, 0, atol=1e-6)
    np.testing.assert_allclose(e.gaps, 0, atol=1e-5)
    # The penalty makes values smaller, and what is missing stands in the gap.
    pulled = lx.lime_values(model, x, ridge=30.0, samples=60, **options)
    assert (np.abs(pulled.values).sum() < 0.9 * np.abs(e.values).sum()).item()
    assert np.abs(pulled.gaps).max() > 0.05


def test_values_equal_the_literal_regression_and_sabotage_shows():
    worth, length = games.worth_of([(t, slice(None)) for t in range(6)])
    present = draw(length, 80, np.random.default_rng(7))
    worths = [worth(frozenset(np.flatnonzero(row))) for row in present]
    width = 0.75 * length**0.5

    def euclidean(row):
        return sum((1 - int(on)) ** 2 for on in row) ** 0.5

    values, intercept, r_squared, errors = reference.lime(present, worths, euclidean, width, 0.5)
    e = lime(samples=80, ridge=0.5, seed=7)
    np.testing.assert_allclose(e.values[0, :length], values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(e.standard_errors[0, :length], errors, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(e.base_values[0], intercept, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(e.r_squared[0], r_squared, rtol=1e-4)
    close = np.abs(e.values.values[0, :length] - values).max()
    unweighted = reference.lime(present, worths, lambda row: 0.0, width, 0.5)[0]
    for wrong in (np.roll(values, 1), -values, values * 1.02, unweighted):
        assert np.abs(wrong - values).max() > 100 * close


def test_several_outputs_share_their_coalitions(tmp_path):
    """Each is what it is alone: the same coalitions are drawn for one as for all."""
    inputs = keras.Input((4, 3))
    model = randomised(keras.Model(inputs, L.Dense(3)(L.GRU(3)(inputs))), 0.7)
    x = np.random.default_rng(2).normal(size=(10, 4, 3)).astype("float32")
    options = {"background": x[2:], "samples": 40, "seed": 3, "progress": False}
    e = lx.lime_values(model, x[:2], output="all", **options)
    e = lx.Explanation.load(e.save(tmp_path / "all.nc"))
    assert e.values.dims == ("sample", "output", "time")
    assert e.r_squared.dims == ("sample", "output")
    assert e.output.values.tolist() == ["output 0", "output 1", "output 2"]
    for output in range(3):
        one, alone = e.for_output(output), lx.lime_values(model, x[:2], output=output, **options)
        for name in ("values", "standard_errors", "base_values", "r_squared", "gaps"):
            expected = getattr(alone, name)
            np.testing.assert_allclose(getattr(one, name), expected, rtol=1e-4, atol=1e-6)
            assert getattr(one, name).dims == expected.dims
    apart = np.diff(e.values, axis=1), np.diff(e.base_values), np.diff(e.r_squared)
    assert min(np.abs(each).max() for each in apart) > 1e-3  # no output stands for another
    few = lx.lime_values(model, x[:2], output=[2, "output 0"], **options)
    np.testing.assert_allclose(few.values, e.values[:, [2, 0]], rtol=1e-4, atol=1e-6)


def test_distances_are_those_of_the_package():
    """`lime_tabular` takes Euclidean distances, `lime_text` the cosine's, times 100."""
    present = draw(9, 50, np.random.default_rng(1))
    for is_text, metric, times in ((False, "euclidean", 1), (True, "cosine", 100)):
        expected = times * pairwise_distances(present.astype(float), present[:1], metric=metric)
        found, width = distances_of(present, is_text)
        np.testing.assert_allclose(found, expected[:, 0], atol=1e-6)
        assert width == (25 if is_text else 0.75 * 3)


def test_coalitions_are_drawn_as_the_package_draws_them():
    present = draw(4, 40_000, np.random.default_rng(2))
    assert present[0].all()
    absent = 4 - present[1:].sum(axis=1)
    np.testing.assert_allclose(np.bincount(absent) / len(absent), [0, *4 * [0.25]], atol=0.02)
    np.testing.assert_allclose(present[1:].mean(axis=0), 1.5 / 4, atol=0.02)


def test_words_agree_with_the_package_s_own_explainer():
    from lime.lime_text import LimeTextExplainer

    data, model = tiny.texts(), tiny.text_model()
    row = int(data.test.lengths.argmax())
    sample = data.test[row]
    e = lx.lime_values(model, sample, output=1, level="word", samples=3000, progress=False)
    number = {word: position for position, word in enumerate(data.vocabulary)}

    def margins(texts):
        tokens = np.zeros((len(texts), sample.mask.shape[1]), "int32")
        for at, text in enumerate(texts):
            words = text.split(" ")
            tokens[at, : len(words)] = [number[word] for word in words]
        chance = model.predict([tokens, tokens != 0], verbose=0, batch_size=3000).astype(float)
        margin = np.log(chance) - np.log1p(-chance)
        return np.hstack([-margin, margin])

    explainer = LimeTextExplainer(
        split_expression=lambda text: text.split(" "), bow=False, mask_string="[UNK]",
        feature_selection="none", random_state=1,
    )  # fmt: skip
    length = int(sample.lengths[0])
    text = " ".join(sample.words[0, :length])
    theirs = explainer.explain_instance(text, margins, num_features=length, num_samples=3000)
    expected = np.array([value for _, value in sorted(theirs.as_map()[1])])
    found, errors = e.values.values[0, :length], e.standard_errors.values[0, :length]
    assert (np.abs(found - expected) < 4 * np.sqrt(2) * errors + 1e-6).all()
    assert errors.max() < 0.1 * np.abs(found).max()
    np.testing.assert_allclose(e.r_squared[0], theirs.score, atol=0.05)
    by_time = lx.lime_values(model, sample, output=1, level="time", samples=3000, progress=False)
    np.testing.assert_array_equal(e.values, by_time.values)


def test_padding_is_no_player():
    e = lime(slice(None), samples=100)
    assert not e.mask.values.all()
    for array in (e.values, e.standard_errors):
        np.testing.assert_array_equal(array.values[~e.mask.values], 0)
        assert (array.values[e.mask.values] != 0).all()


def test_seeds_repeat():
    one, two, other = (lime(samples=100, seed=seed) for seed in (1, 1, 2))
    for name in ("values", "standard_errors", "base_values", "r_squared"):
        first, same, different = (getattr(e, name).values for e in (one, two, other))
        np.testing.assert_array_equal(first, same)
        assert np.abs(first - different).max() > 0


def test_a_product_is_not_linear_and_the_fit_says_so():
    """Output = x[0] x[1] + 3 x[2]; absent is 0: the worth is 10 where both are present."""
    inputs = keras.Input((3, 1))
    model = keras.Model(inputs, inputs[:, 0] * inputs[:, 1] + 3 * inputs[:, 2])
    x = np.array([[[2.0], [5.0], [1.0]]], "float32")
    e = lx.lime_values(model, x, background="zero", samples=400, progress=False)
    present = draw(3, 400, np.random.default_rng(0))
    worths = 10.0 * (present[:, 0] & present[:, 1]) + 3 * present[:, 2]
    values, intercept, r_squared, _ = reference.lime(
        present, worths, lambda row: (3 - row.sum()) ** 0.5, 0.75 * 3**0.5, 1.0
    )
    np.testing.assert_allclose(e.values[0], values, rtol=1e-4)
    np.testing.assert_allclose(e.r_squared[0], r_squared, rtol=1e-4)
    assert 0.5 < r_squared < 0.95
    # What the plane misses at the sample stands in the gap, and in what is printed.
    np.testing.assert_allclose(e.gaps[0], 13 - intercept - values.sum(), rtol=1e-4)
    assert e.gaps[0] > 0.5
    assert f"by LIME: 1 sample x 3 steps; absent means zero; largest gap {e.gaps[0]:.2g}" in repr(e)


@pytest.mark.parametrize(("players", "samples", "is_text"), [(7, 300, False), (12, 60, True)])
def test_standard_errors_are_the_spread_over_seeds(players, samples, is_text):
    rng, base = np.random.default_rng(3), _lime_base()
    ratios, inside = [], []
    for gain in (0.3, 1, 3):
        game = games.RandomGame(players, 2, gain, rng)
        fits = []
        for _ in range(120):
            present = draw(players, samples, rng)
            fits.append(fit(base, present, game.worth(present), is_text, 1.0))
        values = np.array([found.values for found in fits])
        errors = np.array([found.standard_errors for found in fits])
        ratios.append(np.sqrt((errors**2).mean(axis=0)) / values.std(axis=0, ddof=1))
        inside.append(np.abs(values - values.mean(axis=0)) < 1.96 * errors)
    # A spread over 120 seeds is known to 6 %, the mean of some 20 to 40 of them better.
    assert 0.93 < np.mean(ratios) < 1.07, np.mean(ratios)
    assert 0.92 < np.mean(inside) < 0.975, np.mean(inside)


def test_static_facts_are_players():
    data, model = tiny.padded(static=True), tiny.model(static=True)
    e = lx.lime_values(model, data.test[:3], background=data.train[:6], progress=False)
    s = lx.shapley_values(model, data.test[:3], background=data.train[:6], progress=False)
    assert np.corrcoef(e.static_values.values.ravel(), s.static_values.values.ravel())[0, 1] > 0.9


def test_kept_joined_and_drawn_by_its_own_name(tmp_path):
    e = lime([0, 1, 2], samples=100)
    loaded = lx.Explanation.load(e.save(tmp_path / "lime.nc"))
    for name in ("values", "standard_errors", "base_values", "r_squared", "gaps"):
        np.testing.assert_array_equal(getattr(e, name), getattr(loaded, name))
    assert loaded.provenance == e.provenance
    assert loaded.provenance["method"] == "LIME"
    joined = lx.Explanation.concat([e[:1], e[1:]])
    np.testing.assert_array_equal(joined.r_squared, e.r_squared)
    shapley = lx.shapley_values(
        tiny.model(), tiny.padded().test[0], background=tiny.padded().train[:6], progress=False
    )
    assert shapley.r_squared is None
    with pytest.raises(ValueError, match=r"differs from the first in .*method"):
        lx.Explanation.concat([e, shapley])
    figure = lx.plot_timeline(loaded[0]).figure
    written = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "LIME value per step" in written
    assert "LIME values" in written  # the sum at the top
    assert "SHAP" not in written


def test_a_report_explains_again_by_lime(tmp_path):
    data, model = tiny.texts(), tiny.text_model()
    e = lx.lime_values(model, data.test[:9], output=1, samples=300, progress=False)
    report = lx.check_faithfulness(model, e, draws=50, progress=False)
    table = report.to_frame()
    table = table[table.share.isna()].set_index(["measure", "of"])["mean"]
    # Another seed's coalitions, and yet nearly the same; other weights are another model.
    assert table["rank correlation", "same weights"] > 0.9
    assert table["rank correlation", "same weights better than all random"] > 0.3
    gap = np.abs(e.gaps).mean().item() / open_case(model, e).spread
    np.testing.assert_allclose(table["gap", "explanation"], gap, rtol=1e-3)
    assert ("Kendall tau with |LIME|", "attention") in table
    text = report.save(tmp_path / "case.html").read_text(encoding="utf-8")
    assert "agrees with LIME values by" in report.verdict().sentences[1]
    assert "LIME values: red raises, blue lowers" in text
    assert "SHAP" not in text


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lime.lime_base", None)
    with pytest.raises(ImportError, match=r"Expected the package lime, .* Run: pip install lime\."):
        lime()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "cell"}, r"one of \['time', 'feature', 'window', 'word'\]; received 'cell'"),
        ({"level": "word"}, r'Expected level "word" for texts only; .*Give level="time"\.'),
        ({"level": "window"}, 'with level="window" and only there; received .* window=None'),
        ({"samples": 0}, "Expected samples to be a whole number of at least 1; received 0"),
        ({"ridge": -1}, "Expected ridge to be a finite number of at least 0; received -1"),
        (
            {"samples": 9},
            r"two coalitions for each of up to \d players and the base value, \d+; .* out for 1000",
        ),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        lime(**options)


def test_numbers_inside_an_embedding_are_refused():
    with pytest.raises(ValueError, match=r'Expected level "time" \(words\) or "window"'):
        lx.lime_values(tiny.text_model(), tiny.texts().test[:1], level="feature")
