"""The explained function is the model: models of many kinds beside their own predictions."""

import numpy as np
import pytest
from networks import Positions, randomised

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import keras, ops

pytestmark = pytest.mark.slow

layers = keras.layers
WORDS, STEPS, FEATURES = 20, 6, 3


def token_ids(count=4, seed=0):
    return np.random.default_rng(seed).integers(2, WORDS, (count, STEPS)).astype("int32")


def numbers(count=12, seed=0):
    return np.random.default_rng(seed).normal(size=(count, STEPS, FEATURES)).astype("float32")


def predicted(model, x):
    return np.asarray(model.predict(x, verbose=0))[..., 0]


def two_tables(ids):
    return layers.Concatenate()(
        [layers.Embedding(WORDS, 4, trainable=False)(ids), layers.Embedding(WORDS, 3)(ids)]
    )


def coarse_table(ids):
    coarse = layers.Embedding(4, 2)(layers.Lambda(lambda i: i // 6)(ids))
    return layers.Concatenate()([layers.Embedding(WORDS, 3)(ids), coarse])


TABLES = {
    "two tables": two_tables,
    "words and positions": lambda ids: Positions()(layers.Embedding(WORDS, 4)(ids)),
    "words and groups of words": coarse_table,
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_embedding_gets_its_own_vectors(kind):
    i = keras.Input((STEPS,), dtype="int32")
    vectors = TABLES[kind](i)
    head = [layers.LSTM(5), layers.Dense(1)]
    model = randomised(keras.Model(i, head[1](head[0](vectors))))
    ids, rows = token_ids(), token_ids(3, seed=1)
    e = lx.explain(
        model, ids, background=SequenceData.from_tokens(rows), tolerance=1e-3, progress=False
    )
    # float32: two compilations of one network round at the sixth digit.
    np.testing.assert_allclose(e.predictions, predicted(model, ids), atol=1e-5)
    np.testing.assert_allclose(e.base_values, predicted(model, rows).mean(), atol=1e-5)
    # The same function of the vectors alone, which shap and others can integrate.
    inside = keras.Input(vectors.shape[1:])
    bare = keras.Model(inside, head[1](head[0](inside)))
    look_up = keras.Model(i, vectors)
    by_vector = lx.explain(
        bare, look_up.predict(ids, verbose=0), background=look_up.predict(rows, verbose=0),
        tolerance=1e-3, progress=False,
    )  # fmt: skip
    # Both are within the tolerance of the true integral.
    expected = by_vector.values.sum("feature")
    np.testing.assert_allclose(e.values, expected, atol=2e-3 * np.abs(expected).max())
    s = lx.shapley_values(model, ids, background=1, progress=False)
    np.testing.assert_allclose(s.predictions, predicted(model, ids), atol=1e-5)


def test_ids_that_are_read_past_the_embedding_are_refused_by_name():
    i = keras.Input((STEPS,), dtype="int32")
    h = layers.LSTM(4)(layers.Embedding(WORDS, 3, name="table")(i))
    total = layers.Lambda(lambda i: ops.sum(ops.cast(i, "float32"), axis=1, keepdims=True))(i)
    model = keras.Model(i, layers.Dense(1)(layers.Concatenate()([h, total])))
    rows = SequenceData.from_tokens(token_ids(3, seed=1))
    with pytest.raises(ValueError, match=r"Look at \['table'\]: ids that are read past the Emb"):
        lx.explain(model, token_ids(), background=rows, progress=False)


def test_ids_from_several_steps_are_refused_by_name():
    i = keras.Input((STEPS,), dtype="int32")
    backwards = layers.Lambda(lambda i: ops.flip(i, axis=1), output_shape=(STEPS,))(i)
    h = layers.LSTM(4)(layers.Embedding(WORDS, 3, name="table")(backwards))
    with pytest.raises(ValueError, match="'table' reads ids that are computed from several steps"):
        lx.explain(keras.Model(i, layers.Dense(1)(h)), token_ids(), background=1, progress=False)


def test_an_encoder_that_reads_two_halves_holds_two_masks():
    x = numbers()
    x[1, 1:3], x[2, 4:] = 0, 0
    encoder = keras.Sequential([keras.Input((3, FEATURES)), layers.Masking(), layers.LSTM(5)])
    i = keras.Input((STEPS, FEATURES))
    both = layers.Concatenate()([encoder(i[:, :3]), encoder(i[:, 3:])])
    model = randomised(keras.Model(i, layers.Dense(1)(both)))
    e = lx.explain(model, x[:4], background=x[4:], tolerance=1e-3, progress=False)
    np.testing.assert_allclose(e.predictions, predicted(model, x[:4]), atol=1e-5)
    # A step that the encoder leaves out is worth nothing, exactly.
    np.testing.assert_array_equal(e.values.values[1, 1:3], 0)
    np.testing.assert_array_equal(e.values.values[2, 4:], 0)


def test_masking_inside_time_distributed_holds_a_mask_for_each_step():
    inner = keras.Sequential([keras.Input((3, FEATURES)), layers.Masking(), layers.LSTM(4)])
    i = keras.Input((STEPS, FEATURES))
    halves = layers.TimeDistributed(inner)(layers.Reshape((2, 3, FEATURES))(i))
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Flatten()(halves))))
    x = numbers()
    x[1, 1:3] = 0
    e = lx.explain(model, x[:3], background=x[4:], tolerance=1e-3, progress=False)
    np.testing.assert_allclose(e.predictions, predicted(model, x[:3]), atol=1e-5)
    np.testing.assert_array_equal(e.values.values[1, 1:3], 0)


def test_a_step_that_one_of_two_maskings_reads_gets_its_value():
    i = keras.Input((STEPS, FEATURES))
    branches = [layers.LSTM(3)(layers.Masking(value)(i)) for value in (0.0, -1.0)]
    model = randomised(keras.Model(i, layers.Dense(1)(layers.Concatenate()(branches))))
    x, rows = numbers(2), numbers(6, seed=1)
    x[0, 4:], x[1, :2], rows[0, 3:] = -1, 0, -1
    e = lx.explain(model, x, background=rows, tolerance=1e-3, progress=False)
    np.testing.assert_allclose(e.predictions, predicted(model, x), atol=1e-5)
    assert (np.abs(e.values.values[0, 4:]) > 0).any()
    assert e.mask.values.all()
    shorter = SequenceData.from_arrays([x[0], x[1][:4]])
    with pytest.raises(ValueError, match=r"mask \[-1.0, 0.0\]. Pad the samples yourself"):
        lx.explain(model, shorter, background=rows, progress=False)


def test_changes_of_a_model_that_are_no_weights_are_seen():
    x = numbers(30)
    norm, dense = layers.Normalization(), layers.Dense(3, activation="tanh")
    norm.adapt(x)
    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), norm, layers.LSTM(4), dense, layers.Dense(1)]
    )
    for change in (
        lambda: None,
        lambda: norm.adapt(5 * x + 10),
        lambda: setattr(dense, "activation", keras.activations.relu),
    ):
        change()
        e = lx.explain(model, x[:3], background=x, progress=False)
        now = ops.convert_to_numpy(model(x[:3]))[:, 0]
        np.testing.assert_allclose(e.predictions, now, atol=1e-5)


def test_an_attention_layer_that_is_called_by_keywords_is_counted():
    i = keras.Input((STEPS, FEATURES))
    h = layers.LSTM(4, return_sequences=True)(i)
    attended = layers.MultiHeadAttention(1, 2, name="attention")(query=h, value=h)
    model = keras.Model(i, layers.Dense(1)(layers.GlobalAveragePooling1D()(attended)))
    maps = lx.attention_maps(model, numbers(2))
    assert maps["attention"].dims == ("sample", "head", "query", "time")


def headed(*head, **compiled):
    model = randomised(
        keras.Sequential([keras.Input((STEPS, FEATURES)), layers.LSTM(4), *head]), 0.4
    )
    if compiled:
        model.compile(**compiled)
    return model


def explained(model, **options):
    x = numbers()
    return lx.explain(model, x[:4], background=x[4:], progress=False, **options)


def test_a_binary_loss_makes_each_logit_a_sigmoid_and_a_categorical_one_a_softmax():
    losses = keras.losses
    raw = headed(layers.Dense(3)).predict(numbers()[:4], verbose=0).astype(float)
    binary = headed(layers.Dense(3), loss=losses.BinaryCrossentropy(from_logits=True))
    np.testing.assert_allclose(explained(binary, output=0).predictions, raw[:, 0], atol=1e-5)
    e = explained(binary, output=0, scale="probability")
    np.testing.assert_allclose(e.predictions, 1 / (1 + np.exp(-raw[:, 0])), atol=1e-6)
    classes = headed(layers.Dense(3), loss=losses.CategoricalCrossentropy(from_logits=True))
    p = (np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))[:, 0]
    e = explained(classes, output=0, scale="probability")
    np.testing.assert_allclose(e.predictions, p, atol=1e-6)
    e = explained(classes, output=0)
    np.testing.assert_allclose(e.predictions, np.log(p / (1 - p)), atol=1e-5)


def test_a_softmax_is_told_by_what_it_computes():
    def by_hand(z):
        z = ops.exp(z - ops.max(z, axis=-1, keepdims=True))
        return z / ops.sum(z, axis=-1, keepdims=True)

    by_name, other = headed(layers.Dense(3, "softmax")), headed(layers.Dense(3, by_hand))
    assert lx.inspect(other).link == "softmax"
    np.testing.assert_allclose(
        explained(other, output=0).predictions, explained(by_name, output=0).predictions, atol=1e-5
    )


def test_a_softmax_over_time_is_explained_as_the_value_that_it_is():
    i = keras.Input((STEPS, FEATURES))
    h = layers.Dense(2)(layers.LSTM(4, return_sequences=True)(i))
    model = randomised(keras.Model(i, layers.Softmax(axis=1)(h)))
    x = numbers()
    e = lx.explain(model, x[:4], background=x[4:], output=1, step=2, progress=False)
    assert e.scale == "value"
    np.testing.assert_allclose(e.predictions, model.predict(x[:4], verbose=0)[:, 2, 1], atol=1e-6)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "tanh"])
def test_the_activation_of_a_recurrent_layer_is_no_link(activation):
    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), layers.LSTM(2, activation=activation)]
    )
    e = explained(model, output=0)
    assert e.scale == "value"
    np.testing.assert_allclose(e.predictions, predicted(model, numbers()[:4]), atol=1e-6)


def test_inspect_says_what_explain_does():
    i = keras.Input((STEPS, FEATURES))
    h = layers.LSTM(4)(i)
    one, two = layers.Dense(1, "sigmoid")(h), layers.Dense(1, "sigmoid")(h)
    outputs = {
        "value": layers.Average()([one, two]),
        "margin": layers.Reshape((1,))(one),
    }
    for scale, output in outputs.items():
        model = keras.Model(i, output)
        link = lx.inspect(model, SequenceData.from_arrays(numbers())).link
        assert (link == "identity") == (scale == "value")
        assert explained(model).scale == scale
    mean = keras.Model(i, outputs["value"])
    e = explained(mean, scale="probability")
    assert e.scale == "probability"
    np.testing.assert_allclose(e.predictions, predicted(mean, numbers()[:4]), atol=1e-6)
    first = explained(mean, scale="probability", output=0)
    np.testing.assert_allclose(first.predictions, 1 - e.predictions, atol=1e-6)


@pytest.mark.parametrize("scale", ["margin", "probability"])
def test_a_contrast_means_the_same_for_one_sigmoid_and_a_softmax_of_two(scale):
    i = keras.Input((STEPS, FEATURES))
    z = layers.Dense(1)(layers.LSTM(4)(i))
    sigmoid = keras.Model(i, layers.Activation("sigmoid")(z))
    softmax = keras.Model(i, layers.Softmax()(layers.Concatenate()([layers.Rescaling(0.0)(z), z])))
    data = SequenceData.from_arrays(numbers(6), [0, 1] * 3, class_names=["no", "yes"])
    for output in ("yes-no", "no-yes", "yes", "no"):
        first, second = (
            lx.explain(m, data, background=data, output=output, scale=scale, progress=False)
            for m in (sigmoid, softmax)
        )
        np.testing.assert_allclose(first.predictions, second.predictions, atol=1e-6)
        np.testing.assert_allclose(first.values, second.values, atol=1e-5)


class Sampling(layers.Layer):
    def __init__(self):
        super().__init__(name="sampling")
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, z):
        return z + keras.random.normal(ops.shape(z), seed=self.seeds)


def test_a_model_that_draws_is_refused_by_name():
    model = headed(Sampling(), layers.Dense(1))
    for method in (lx.explain, lx.shapley_values):
        with pytest.raises(ValueError, match=r"layers \['sampling'\] draw random numbers"):
            method(model, numbers(2), background="zero", progress=False)


AXES = {
    "forwards": (layers.LSTM(5, return_sequences=True), 1),
    "backwards": (layers.LSTM(5, return_sequences=True, go_backwards=True), -1),
    "both": (layers.Bidirectional(layers.LSTM(3, return_sequences=True)), 1),
    "features": (layers.Permute((2, 1)), 0),
    "decoder": (lambda i: layers.GRU(4, return_sequences=True)(decoded(i)), 0),
}


def decoded(i):
    return layers.RepeatVector(STEPS)(layers.LSTM(3)(i))


@pytest.mark.parametrize("kind", AXES)
def test_weights_stand_at_the_steps_of_the_input_or_are_called_otherwise(kind):
    make, direction = AXES[kind]
    i = keras.Input((STEPS, STEPS))
    pooling = lx.models.AttentionPooling(4, name="attention")
    states = make(i)
    model = keras.Model(i, layers.Dense(1)(pooling(states)))
    x = np.random.default_rng(3).normal(size=(4, STEPS, STEPS)).astype("float32")
    inner = keras.Model(i, states)(x)
    _, weights = pooling(inner, return_attention_scores=True)
    weights = ops.convert_to_numpy(weights)
    weights = weights[:, ::-1] if direction < 0 else weights
    maps = lx.attention_maps(model, x)
    assert maps["attention"].dims[1] == ("time" if direction else "attention position")
    np.testing.assert_allclose(maps["attention"], weights, atol=1e-6)
    e = lx.explain(model, x, background="zero", progress=False)
    if direction:
        np.testing.assert_allclose(e.attention, weights, atol=1e-6)
    else:
        assert e.attention is None


def test_attention_layers_of_one_name_are_told_apart():
    def encoder():
        i = keras.Input((STEPS, FEATURES))
        h = layers.LSTM(5, return_sequences=True, name="lstm")(i)
        pooled = layers.GlobalAveragePooling1D()(layers.Attention(name="attention")([5 * h, h]))
        return keras.Model(i, pooled)

    encoders = [encoder(), encoder()]
    i = keras.Input((STEPS, FEATURES))
    model = keras.Model(i, layers.Dense(1)(layers.Concatenate()([each(i) for each in encoders])))
    maps = lx.attention_maps(model, numbers(4))
    for each in encoders:
        alone = lx.attention_maps(each, numbers(4))["attention"]
        np.testing.assert_allclose(maps[f"{each.name}/attention"], alone, atol=1e-6)
        traced = lx.trace_gates(model, numbers(4), layer=f"{each.name}/lstm")
        np.testing.assert_allclose(
            traced["hidden"], lx.trace_gates(each, numbers(4))["hidden"], atol=1e-6
        )
    twice = keras.Model(i, layers.Dense(1)(encoders[0](i) + encoders[0](-i)))
    maps = lx.attention_maps(twice, numbers(4))
    for name, x in (("attention call 1", numbers(4)), ("attention call 2", -numbers(4))):
        alone = lx.attention_maps(encoders[0], x)["attention"]
        np.testing.assert_allclose(maps[name], alone, atol=1e-6)


def test_the_last_step_of_a_forecast_as_long_as_its_padded_input_is_asked_for():
    i = keras.Input((STEPS, FEATURES))
    h = layers.LSTM(3)(layers.Masking()(i))
    h = layers.LSTM(4, return_sequences=True)(layers.RepeatVector(STEPS)(h))
    model = randomised(keras.Model(i, layers.Dense(1)(h)))
    x = numbers(4)
    x[0, 4:] = 0
    with pytest.raises(ValueError, match=r"two readings.* step=5 is the last"):
        lx.explain(model, x, background=numbers(3, 1), progress=False)
    e = lx.explain(model, x, background=numbers(3, 1), step=5, progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(x, verbose=0)[:, 5, 0], atol=1e-5)
