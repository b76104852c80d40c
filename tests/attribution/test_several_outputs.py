"""Which output is explained: several at once, heads by name, and functions of the outputs."""

import numpy as np
import pytest
import tiny
from networks import Subclassed, randomised

import lstm_explain as lx
from lstm_explain.attribution import quadrature
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras, ops

layers = keras.layers
VALUES = np.random.default_rng(0).normal(size=(30, 5, 3)).astype("float32")
DATA, BACKGROUND = VALUES[:4], VALUES[4:24]


def forecaster(horizon=3):
    inputs = keras.Input((5, 3))
    return randomised(keras.Model(inputs, layers.Dense(horizon)(layers.LSTM(4)(inputs))), 0.7)


def two_heads(form):
    inputs = keras.Input((5, 3))
    states = layers.LSTM(4)(inputs)
    heads = {
        "risk": layers.Dense(1, activation="sigmoid", name="risk")(states),
        "days": layers.Dense(2, name="days")(states),
    }
    return randomised(keras.Model(inputs, heads if form == "dict" else [*heads.values()]), 0.7)


def chain():
    """Take the shape from the first call, as most scripts do."""
    return keras.Sequential([layers.LSTM(4), layers.Dense(3)])


def explained(model, output, method=lx.explain, data=DATA, **options):
    options = {"background": BACKGROUND, "progress": False, **options}
    return method(model, data, output=output, **options)


# -- several outputs -------------------------------------------------------------------------------
@pytest.mark.parametrize("method", [lx.explain, lx.shapley_values])
def test_all_outputs_together_are_what_each_gives_alone(method):
    model = forecaster()
    together = explained(model, "all", method)
    assert together.output.values.tolist() == ["output 0", "output 1", "output 2"]
    for position, name in enumerate(together.output.values):
        alone, chosen = explained(model, position, method), together.for_output(str(name))
        for one, other in ((alone, chosen), (alone, together.for_output(position))):
            assert set(one.to_dataset().variables) == set(other.to_dataset().variables)
            for variable, array in one.to_dataset().data_vars.items():
                if array.dtype.kind == "f":  # in other batches: to the rounding of float32
                    np.testing.assert_allclose(
                        other.to_dataset()[variable], array, rtol=1e-5, atol=1e-6
                    )
                else:
                    assert array.equals(other.to_dataset()[variable])
    np.testing.assert_allclose(together.gaps, 0, atol=0.05 * float(together.predictions.std()))


@pytest.mark.parametrize("rows", [1, 200])
@pytest.mark.parametrize("link", [None, "softmax"])
def test_outputs_that_share_runs_of_the_model_are_what_they_are_alone(monkeypatch, rows, link):
    """One run for all three outputs, or two for two of them; some need finer rules than others."""
    inputs = keras.Input((5, 3))
    outputs = layers.Dense(3, activation=link)(layers.LSTM(4)(inputs))
    model = randomised(keras.Model(inputs, outputs), 1.5)
    options = {"tolerance": 0.01, "data": DATA[:3]}
    alone = [explained(model, position, **options) for position in range(3)]
    monkeypatch.setattr(quadrature, "_FULL", rows)
    together = explained(model, "all", **options)
    for position, one in enumerate(alone):
        chosen = together.for_output(position)
        np.testing.assert_allclose(chosen.values, one.values, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(chosen.predictions, one.predictions, rtol=1e-5, atol=1e-6)


def test_shapley_values_of_several_outputs_share_their_coalitions():
    """With many players orders are drawn: the same ones as for one output, and no more of them."""
    model, options = forecaster(), {"level": "cell", "seed": 3}
    together = explained(model, "all", lx.shapley_values, **options)
    for position in range(3):
        alone = explained(model, position, lx.shapley_values, **options)
        chosen = together.for_output(position)
        np.testing.assert_allclose(chosen.values, alone.values, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            chosen.standard_errors, alone.standard_errors, rtol=1e-4, atol=1e-6
        )
        spent = [e.provenance["model_evaluations"] for e in (together, alone)]
        assert spent[0] == spent[1]


def test_a_list_keeps_its_order_and_takes_contrasts():
    model, data = tiny.model("multiclass"), tiny.padded("multiclass")
    options = {"data": data[:3], "background": data[3:30]}
    e = explained(model, ["high", 0, "high-low"], **options)
    assert e.output.values.tolist() == ["high", "low", "high-low"]
    assert e.values.dims == ("sample", "output", "time", "feature")
    alone = explained(model, "high-low", **options)
    np.testing.assert_allclose(e.for_output("high-low").values, alone.values, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(e.mask, alone.mask)


def test_sums_saving_and_joining_keep_the_outputs(tmp_path):
    e = explained(forecaster(), "all")
    over_time = e.over_time()
    assert over_time.level == "time"
    np.testing.assert_allclose(over_time.values, e.values.values.sum(axis=-1))
    table = e.over_features().to_frame()
    assert len(table) == 4 * 3 * 3
    row = table[(table["sample"] == 1) & (table["output"] == "output 2")].iloc[0]
    expected = e.values.sel(output="output 2", feature=row["feature"])[1].sum()
    np.testing.assert_allclose(row["value"], expected)
    again = lx.Explanation.load(e.save(tmp_path / "all.nc"))
    assert again.to_dataset().identical(e.to_dataset())
    parts = [e[:1], e[1:]]
    np.testing.assert_array_equal(lx.Explanation.concat(parts).values, e.values)
    other = explained(forecaster(), ["output 1", "output 0", "output 2"])
    with pytest.raises(ValueError, match="number 1 differs from the first in outputs"):
        lx.Explanation.concat([e, other])


@pytest.mark.parametrize(
    "call",
    [
        lx.plot_heatmap,
        lambda e: lx.plot_summary(e.over_features()),
        lambda e: e.over_features().to_shap(),
        lambda e: lx.attribution.drivers_by_group(e, {"a": np.ones(4, bool)}),
        lambda e: lx.check_faithfulness(forecaster(), e, progress=False),
    ],
)
def test_what_takes_one_output_says_how_to_choose_it(call):
    e = explained(forecaster(), "all")
    with pytest.raises(ValueError, match=r"this one has 3: .* explanation.for_output"):
        call(e)


def test_one_output_has_nothing_to_choose():
    e = explained(forecaster(), 1)
    with pytest.raises(ValueError, match=r'one per sample. .* output="all"'):
        e.for_output("output 1")
    with pytest.raises(ValueError, match=r"one of the outputs \['output 0'.*received 'none'"):
        explained(forecaster(), "all").for_output("none")


# -- heads -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["dict", "list"])
def test_a_head_is_explained_by_its_name(form):
    model = two_heads(form)
    risk, days = (
        keras.Model(model.inputs, model.get_layer(name).output) for name in ("risk", "days")
    )
    e = explained(model, "risk")
    assert e.scale == "margin"
    np.testing.assert_allclose(e.values, explained(risk, None).values, rtol=1e-5, atol=1e-6)
    second = explained(model, ("days", 1))
    np.testing.assert_allclose(second.values, explained(days, 1).values, rtol=1e-5, atol=1e-6)
    assert explained(model, ("days", "all")).output.size == 2
    question = question_of(model, second)  # the model itself, as a report is given it
    np.testing.assert_allclose(question.predictions, second.predictions, rtol=1e-5)


def test_sequence_and_states_of_one_layer_are_told_apart():
    inputs = keras.Input((5, 3))
    model = randomised(keras.Model(inputs, layers.LSTM(2, return_state=True, name="lstm")(inputs)))
    with pytest.raises(ValueError, match=r"Name one of them: output='lstm 0'"):
        explained(model, None)
    hidden, cell = (explained(model, (f"lstm {number}", 0)) for number in (1, 2))
    np.testing.assert_allclose(  # h is below 1, c is not
        hidden.predictions, model.predict(DATA, verbose=0)[1][:, 0], rtol=1e-5
    )
    assert np.abs(cell.predictions - hidden.predictions).max() > 1e-3


def test_logits_of_a_head_are_known_by_its_loss():
    model = two_heads("dict")
    model.layers[-1].activation = model.get_layer("risk").activation = keras.activations.linear
    model = keras.Model(model.input, model.output)
    logits = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss={"risk": logits, "days": "mse"})
    assert explained(model, "risk").scale == "margin"
    assert explained(model, ("days", 0)).scale == "value"


def test_heads_that_are_not_there_are_refused():
    model = two_heads("dict")
    with pytest.raises(ValueError, match=r"which has \['days', 'risk'\]; received 'death'"):
        explained(model, "death")
    with pytest.raises(ValueError, match=r"Name one of them: output='days'"):
        explained(model, None)
    with pytest.raises(ValueError, match="Expected output= to say which of 2 values"):
        explained(model, "days")
    with pytest.raises(TypeError, match=r"name of a head or a function; received 2.5"):
        lx.models.with_output(model, 2.5)


# -- functions of the outputs ----------------------------------------------------------------------
def weighted(outputs):
    return 2 * outputs[:, 0] - outputs[:, 2]


@pytest.mark.parametrize("make", [forecaster, Subclassed, chain])
def test_a_function_that_is_linear_has_the_sum_of_the_outputs_values(make):
    model = make()
    model(DATA)
    parts = explained(model, "all", tolerance=1e-3).values
    e = explained(model, weighted, tolerance=1e-3)
    expected = 2 * parts.sel(output="output 0") - parts.sel(output="output 2")
    size = float(np.abs(expected).max())
    np.testing.assert_allclose(e.values, expected, atol=3e-3 * size)  # three times the tolerance
    assert e.output.values.tolist() == ["weighted"] * 4
    function = e.provenance["function"]
    assert function["name"] == "weighted"
    assert "2 * outputs[:, 0] - outputs[:, 2]" in function["source"]


def test_a_function_of_outputs_and_inputs_in_closed_form():
    """The square of the inputs, from zero: the integral of 2 a x * x over a is x squared."""
    inputs = keras.Input((5, 3))
    autoencoder = keras.Model(inputs, layers.Dense(3, kernel_initializer="zeros")(inputs))

    def error(outputs, inputs):
        return ops.mean((outputs - inputs) ** 2, axis=(1, 2))

    e = explained(autoencoder, error, background="zero")
    np.testing.assert_allclose(e.values, DATA**2 / 15, rtol=1e-5, atol=1e-7)


def test_another_function_is_another_explanation(tmp_path):
    model = forecaster()

    def scaled(factor):
        return lambda outputs: factor * outputs[:, 0]

    once, twice = (explained(model, scaled(factor)) for factor in (1, 2))
    np.testing.assert_allclose(twice.values, 2 * once.values, rtol=1e-5, atol=1e-6)
    options = {"background": BACKGROUND, "progress": False, "samples_per_piece": 2}
    samples = lx.SequenceData.from_arrays(DATA)
    pieces = lx.attribution.explain_in_pieces
    e = pieces(model, samples, tmp_path, output=scaled(1), **options)
    np.testing.assert_allclose(e.values, once.values, rtol=1e-5, atol=1e-6)
    pieces(model, samples, tmp_path, output=scaled(1), **options)  # the same function, made again
    with pytest.raises(ValueError, match="a piece of other model"):
        pieces(model, samples, tmp_path, output=scaled(2), **options)


def test_an_explanation_of_a_function_is_checked_with_the_model_of_it():
    model = forecaster()
    e = explained(model, weighted)
    with pytest.raises(ValueError, match=r"Give lx.models.with_output\(model, function\)"):
        question_of(model, e)
    question = question_of(lx.models.with_output(model, weighted), e)
    np.testing.assert_allclose(question.predictions, e.predictions, rtol=1e-5)


def test_a_function_gives_one_number_per_sample():
    with pytest.raises(ValueError, match=r"'weighted' to give one number .* received \(None, 3\)"):
        explained(forecaster(), _named(lambda outputs: outputs, "weighted"))
    model = Subclassed()
    model(DATA)
    with pytest.raises(ValueError, match=r"give one number per sample"):
        explained(model, lambda outputs: outputs)


def _named(function, name):
    function.__name__ = name
    return function


@pytest.mark.parametrize("output", [[], [None], [weighted], ("a", "b", "c"), True, [True], 2.5])
def test_what_is_no_choice_of_an_output_is_refused(output):
    with pytest.raises(ValueError, match="Expected output to be a name, a position or None"):
        explained(forecaster(), output)


def test_one_output_where_several_make_no_sense():
    with pytest.raises(ValueError, match=r'received output="all" of 3. Choose one'):
        lx.interactions(forecaster(), DATA[:1], players=[0, 1], background=BACKGROUND, output="all")
