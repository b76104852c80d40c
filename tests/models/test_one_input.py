"""Several sequences, images, films and raw text are read as one sequence."""

import numpy as np
import pytest
import reference
from networks import RNG, dense_gradients, numbers, randomised

import lstm_explain as lx
from lstm_explain.attribution.records import question_of
from lstm_explain.backend import keras, ops
from lstm_explain.models import values_by_input

pytestmark = pytest.mark.slow

layers = keras.layers


def of_shapes(*shapes, as_dict=False, encoders=False):
    inputs = [keras.Input(shape, name=f"input_{n}") for n, shape in enumerate(shapes)]
    flat = [
        layers.LSTM(3)(each) if encoders else layers.Flatten()(layers.Dense(2, "tanh")(each))
        for each in inputs
    ]
    output = layers.Dense(1)(layers.Concatenate()(flat) if len(flat) > 1 else flat[0])
    given = {tensor.name: tensor for tensor in inputs} if as_dict else inputs
    return randomised(keras.Model(given, output), 0.4)


def test_two_sequences_of_two_lengths_equal_dense_quadrature():
    """Two encoders, the second sequence shorter: values for each, whose sum is the prediction."""
    model = of_shapes((3, 2), (2, 1), encoders=True)
    arrays, rows = ([numbers(n, 3, 2), numbers(n, 2, 1)] for n in (1, 2))
    e = lx.explain(model, arrays, background=rows, tolerance=1e-4, progress=False)
    # The same function of one array, cut by hand; its last cell belongs to neither.
    side_by_side = [
        np.concatenate([one, np.pad(other, ((0, 0), (0, 1), (0, 0)))], axis=2)
        for one, other in (arrays, rows)
    ]

    def cut(one):
        return model([one[..., :2], one[:, :2, 2:]])

    expected = dense_gradients(cut, side_by_side[0][0], side_by_side[1], nodes=24)
    # float32 differences with a step of 3e-3 carry an error of about 1e-3.
    np.testing.assert_allclose(e.values[0], expected, atol=5e-3 * np.abs(expected).max())
    values = values_by_input(model, e.values.values)
    np.testing.assert_array_equal(values["input_0"], e.values[..., :2])
    np.testing.assert_array_equal(values["input_1"], e.values[:, :2, 2:])
    sums = sum(part.sum() for part in values.values())
    np.testing.assert_allclose(sums, e.predictions - e.base_values, atol=1e-3)


@pytest.mark.parametrize("as_dict", [False, True], ids=["list", "dict"])
@pytest.mark.parametrize(
    "shapes",
    [
        [(6, 3), (6, 2)],
        [(6, 3), (4,), (6, 2)],
        [(6, 2, 2)],
        [(6, 2, 2, 3), (6, 1)],
        [(None, 3), (None, 2)],
    ],
    ids=["two sequences", "and facts", "images", "films and a sequence", "any number of steps"],
)
def test_every_method_reads_what_predict_reads(shapes, as_dict):
    model = of_shapes(*shapes, as_dict=as_dict, encoders=shapes[0][0] is None)
    arrays = [numbers(5, *(size or 6 for size in shape)) for shape in shapes]
    given = {f"input_{n}": array for n, array in enumerate(arrays)} if as_dict else arrays
    expected = model.predict(given, verbose=0)
    np.testing.assert_allclose(lx.predict(model, given), expected, atol=1e-5)
    e = lx.explain(model, given, background=given, progress=False)
    np.testing.assert_allclose(e.predictions, expected[:, 0], atol=1e-5)
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)
    s = lx.shapley_values(
        model, given, background=given, level="feature", budget=64, progress=False
    )
    np.testing.assert_allclose(s.predictions, expected[:, 0], atol=1e-5)
    np.testing.assert_allclose(s.gaps, 0, atol=1e-4)
    parts = values_by_input(model, e.values.values)
    cubes = [array for array in arrays if array.ndim > 2]
    assert [part.shape for part in parts.values()] == [cube.shape for cube in cubes]


def test_a_cell_of_an_image_keeps_its_place():
    """Only one cell matters: it has the whole value, in the image's own shape and by name."""
    image = keras.Input((4, 2, 3), name="image")
    model = keras.Model(image, ops.sum(image[:, 2, 1, :1] * 5, axis=1, keepdims=True))
    x = numbers(3, 4, 2, 3)
    e = lx.explain(model, x, background=np.zeros_like(x[:1]), progress=False)
    expected = np.zeros_like(x)
    expected[:, 2, 1, 0] = 5 * x[:, 2, 1, 0]
    np.testing.assert_allclose(
        values_by_input(model, e.values.values)["image"], expected, atol=1e-5
    )
    np.testing.assert_allclose(
        e.values.sel(feature="image 1, 0")[:, 2], 5 * x[:, 2, 1, 0], rtol=1e-5
    )


def test_an_explanation_of_two_sequences_is_asked_again(tmp_path):
    """Saved and loaded, it is the model's own explanation, and checks run on it."""
    model = of_shapes((6, 3), (6, 2), encoders=True)
    arrays = [numbers(12, 6, 3), numbers(12, 6, 2)]
    e = lx.explain(model, arrays, background=arrays, progress=False)
    e.save(tmp_path / "e.nc")
    question = question_of(model, lx.Explanation.load(tmp_path / "e.nc"))
    np.testing.assert_allclose(question.predictions, e.predictions, atol=1e-6)
    gates = lx.trace_gates(model, arrays)
    assert set(gates.layer.values.tolist()) == {layer.name for layer in model.layers[2:4]}


def test_what_cannot_be_joined_is_refused():
    model = of_shapes((6, 3), (6, 2))
    with pytest.raises(ValueError, match=r"one array for each input .*'input_0', 'input_1'"):
        lx.explain(model, numbers(5, 6, 3), background="zero")
    with pytest.raises(ValueError, match=r"shape \(None, 6, 2\) for the input 'input_1'; received"):
        lx.explain(model, [numbers(5, 6, 3), numbers(5, 4, 2)], background="zero")
    with pytest.raises(ValueError, match=r"received \[5, 4\] samples of \[6, 6\] steps"):
        lx.predict(model, [numbers(5, 6, 3), numbers(4, 6, 2)])
    with pytest.raises(ValueError, match=r"Expected values of shape \(sample, time, 5\)"):
        values_by_input(model, np.zeros((2, 6, 4)))
    shape = keras.Input((6, None, 2), name="film")
    unknown = keras.Model(shape, layers.Dense(1)(ops.mean(shape, axis=(1, 2))))
    with pytest.raises(ValueError, match=r"known sizes .* 'film' of shape \(None, 6, None, 2\)"):
        lx.explain(unknown, numbers(2, 6, 2, 2), background="zero")


TEXTS = ["a good film", "a bad bad film", "good acting and a good end"]


def reads_text(**options):
    vectorize = layers.TextVectorization(output_sequence_length=6, **options)
    vectorize.adapt(TEXTS)
    text = keras.Input((), dtype="string")
    ids = vectorize(text)
    hidden = layers.LSTM(4)(layers.Embedding(12, 3, mask_zero=True)(ids))
    return randomised(keras.Model(text, layers.Dense(1)(hidden)), 0.5)


tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="models of text run in TensorFlow only"
)


@tensorflow_only
@pytest.mark.parametrize("form", [list, np.array, lambda texts: np.array(texts, object)[:, None]])
def test_raw_texts_are_explained_by_word(form):
    model = reads_text()
    e = lx.explain(model, form(TEXTS), background="[UNK]", progress=False)
    expected = model.predict(np.array(TEXTS, object), verbose=0)
    np.testing.assert_allclose(e.predictions, expected[:, 0], atol=1e-5)
    np.testing.assert_allclose(lx.predict(model, TEXTS), expected, atol=1e-5)
    assert e.data[1].values.tolist() == ["a", "bad", "bad", "film", "", ""]
    # The same as of ids, which other tests hold against literal integration.
    behind = keras.Model(model.layers[1].output, model.output)
    ids = np.asarray(model.layers[1](np.array(TEXTS)))
    lengths = (ids != 0).sum(axis=1)
    data = lx.SequenceData.from_tokens(
        ids, lengths=lengths, vocabulary=model.layers[1].get_vocabulary()
    )
    again = lx.explain(behind, data, background="[UNK]", progress=False)
    np.testing.assert_allclose(e.values, again.values, atol=1e-6)
    assert np.abs(e.values.values).max() > 0.01


@tensorflow_only
def test_texts_that_cannot_be_read_are_refused():
    counts = layers.TextVectorization(output_mode="count")
    counts.adapt(TEXTS)
    text = keras.Input((), dtype="string")
    counting = keras.Model(text, layers.Dense(1)(counts(text)))
    with pytest.raises(ValueError, match=r'TextVectorization layer with output_mode="int"'):
        lx.explain(counting, TEXTS, background="[UNK]")
    with pytest.raises(TypeError, match="sample 1"):
        lx.explain(reads_text(), ["good", None], background="[UNK]")
    other = lx.SequenceData.from_texts(["good film", "film good"], at_least=1)
    with pytest.raises(ValueError, match="vocabulary that"):
        lx.explain(reads_text(), other, background="[UNK]")


# -- documents of sentences, and two texts ---------------------------------------------------------
class OwnAttention(layers.Layer):
    """Attention as tutorials write it."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 1))

    def call(self, states):
        weights = ops.softmax(ops.tanh(ops.matmul(states, self.w)), axis=1)
        return ops.sum(states * weights, axis=1)


def test_attention_of_a_document_is_that_over_its_sentences():
    """Within the sentences, the inner model has its own maps."""
    words = keras.Input((6, 3))
    states = layers.LSTM(4, return_sequences=True)(words)
    of_sentence = keras.Model(words, OwnAttention(name="over_words")(states))
    document = keras.Input((5, 6, 3), name="document")
    states = layers.LSTM(4, return_sequences=True)(layers.TimeDistributed(of_sentence)(document))
    context = OwnAttention(name="over_sentences")(states)
    model = randomised(keras.Model(document, layers.Dense(1)(context)), 0.5)
    x = numbers(2, 5, 6, 3)
    e = lx.explain(model, x, background=x, progress=False)
    np.testing.assert_allclose(e.gaps, 0, atol=0.02)
    seen = keras.Model(document, states)(x)
    score = np.tanh(np.asarray(ops.convert_to_numpy(seen)) @ model.layers[-2].get_weights()[0])
    expected = np.exp(score[..., 0]) / np.exp(score[..., 0]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(e.attention, expected, atol=1e-5)
    within = lx.attention_maps(of_sentence, x.reshape(-1, 6, 3))["over_words"]
    np.testing.assert_allclose(within.sum("time"), 1, atol=1e-5)
    assert within.shape == (10, 6)
    assert np.ptp(within.values, axis=1).min() > 0.01


def documents(masks, sentences=2):
    """Documents of sentences of words: an encoder of sentences inside TimeDistributed."""
    words = keras.Input((3,), dtype="int32")
    embed, read = layers.Embedding(20, 2, mask_zero=masks), layers.LSTM(3)
    of_sentence = keras.Model(words, read(embed(words)))
    document = keras.Input((sentences, 3), dtype="int32", name="document")
    over, head = layers.LSTM(3), layers.Dense(1)
    states = over(layers.TimeDistributed(of_sentence)(document))
    model = randomised(keras.Model(document, head(states)), 1.5)

    def of_vectors(vectors, real):
        """Read flat vectors (document, sentence, word * number) with a mask (sentence, word)."""
        cells = ops.reshape(vectors, (-1, 2, 3, 2))
        real = np.broadcast_to(real, (len(vectors), *real.shape))
        states = [read(cells[:, n], mask=real[:, n] if masks else None) for n in range(2)]
        return head(over(ops.stack(states, axis=1)))

    return model, np.asarray(embed.get_weights()[0]), of_vectors


@pytest.mark.parametrize(("masks", "sentences"), [(False, 2), (True, None)])
def test_a_word_of_a_document_has_the_value_of_its_vector(masks, sentences):
    """Beside a dense quadrature of the layers on vectors, with the document's own mask."""
    model, table, of_vectors = documents(masks, sentences)
    rng = np.random.default_rng(6)
    ids, rows = rng.integers(1, 20, (2, 2, 3)), rng.integers(1, 20, (2, 2, 3))
    ids[0, 1, 2:], rows[0, 0, 1:] = 0, 0
    e = lx.explain(model, ids, background=rows, tolerance=1e-4, progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(ids, verbose=0)[:, 0], atol=1e-5)
    np.testing.assert_allclose(e.gaps, 0, atol=1e-4)
    values = values_by_input(model, e.values.values)["document"]
    vectors, starts = (table[each].reshape(-1, 2, 6) for each in (ids, rows))
    own = dense_gradients(lambda x: of_vectors(x, ids[0] != 0), vectors[0], starts, nodes=12)
    own = own.reshape(2, 3, 2).sum(axis=2)
    np.testing.assert_allclose(values[0], own, atol=0.01 * np.abs(own).max())
    assert np.abs(own).max() > 0.005
    assert values[0, 1, 2] == 0 or not masks


def test_shapley_values_of_documents_equal_the_reference():
    model, _, _ = documents(False)
    ids = RNG.integers(1, 20, (2, 2, 3))
    s = lx.shapley_values(model, ids, background=ids[:1], level="time", progress=False)

    def worth(present):
        """Sentences that are absent are those of the background."""
        mixed = [ids[1, n] if n in present else ids[0, n] for n in range(2)]
        return float(ops.convert_to_numpy(model(np.array([mixed])))[0, 0])

    np.testing.assert_allclose(s.values[1], reference.shapley_values(worth, 2), atol=1e-5)


def test_two_texts_are_told_apart_by_name():
    """One is the sequence, the ids of the other are facts, with a value each."""
    a, b = (keras.Input((5,), dtype="int32", name=name) for name in "ab")
    embed, read = layers.Embedding(20, 3), layers.LSTM(4)
    both = layers.Concatenate()([read(embed(a)), read(embed(b))])
    model = randomised(keras.Model([a, b], layers.Dense(1)(both)), 0.7)
    ids = [RNG.integers(1, 20, (3, 5)) for _ in range(2)]
    rows = [RNG.integers(1, 20, (2, 5)) for _ in range(2)]
    with pytest.raises(ValueError, match=r'Name them with inputs=\{"sequence"'):
        lx.explain(model, ids, background=rows)
    roles = {"sequence": "a", "static": "b"}
    e = lx.explain(model, ids, background=rows, inputs=roles, tolerance=1e-3, progress=False)
    np.testing.assert_allclose(e.predictions, model.predict(ids, verbose=0)[:, 0], atol=1e-5)
    np.testing.assert_allclose(e.gaps, 0, atol=1e-3)
    # The two texts do not meet in the model: the second has all of its own difference.
    second = [model.predict([ids[0], np.tile(row, (3, 1))], verbose=0) for row in rows[1]]
    own = e.predictions.values - np.mean(second, axis=0)[:, 0]
    np.testing.assert_allclose(e.static_values.sum("static_feature"), own, atol=2e-3)
