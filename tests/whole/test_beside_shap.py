"""Our values beside those of shap's own explainers."""

import numpy as np
import pytest
import tiny
from networks import FEATURES, STEPS, numbers, sequential

import lstm_explain as lx
from lstm_explain.backend import keras


@pytest.mark.slow
@pytest.mark.filterwarnings("default::UserWarning")  # shap speaks of older TensorFlow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="DeepExplainer needs TensorFlow"
)
def test_a_failed_deep_explainer_is_mended():
    """Users call shap.DeepExplainer first; it fails and leaves TensorFlow without gradients."""
    import shap
    from tensorflow.python.eager import execute

    model = sequential(keras.layers.LSTM(3), keras.layers.Dense(1))
    x, rows = numbers(2, STEPS, FEATURES), numbers(3, STEPS, FEATURES)
    own = execute.record_gradient
    explainer = shap.DeepExplainer(model, rows)
    with pytest.raises(Exception, match="gradient registry has no entry for: shap_"):
        explainer.shap_values(x)
    try:
        with pytest.warns(lx.inspection.DeepExplainerWarning, match="They have been put back"):
            e = lx.explain(model, x, background=rows, progress=False)
        assert execute.record_gradient is own
        assert float(np.abs(e.gaps).max()) < 0.05 * float(np.abs(e.values).sum())
        model.compile(loss="mse")
        model.fit(x, np.zeros(2), verbose=0)  # training works again
    finally:
        execute.record_gradient = own


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
@pytest.mark.filterwarnings("default::UserWarning")  # Keras on the shape of shap's inputs
def test_gradient_explainer_converges_to_our_values():
    """shap draws rows and positions at random: its error shrinks with the root of the draws."""
    import shap

    model = sequential(keras.layers.LSTM(4), keras.layers.Dense(1))
    x, rows = numbers(2, STEPS, FEATURES), numbers(20, STEPS, FEATURES)
    ours = lx.explain(model, x, background=rows, tolerance=1e-4, progress=False).values.values
    explainer = shap.GradientExplainer(model, rows)
    distance = {}
    for draws in (200, 20_000):
        theirs = np.asarray(explainer.shap_values(x, nsamples=draws, rseed=0))[..., 0]
        distance[draws] = np.linalg.norm(theirs - ours) / np.linalg.norm(ours)
    assert distance[20_000] < 0.03, distance
    assert distance[20_000] < 0.3 * distance[200], distance
    turned = np.linalg.norm(theirs - ours[:, ::-1]) / np.linalg.norm(ours)
    assert turned > 0.3


def test_words_are_drawn_by_the_text_plot_of_shap():
    import shap

    model, data = tiny.text_model(), tiny.texts()
    e = lx.explain(model, data.test[:3], progress=False)
    converted = e.to_shap()
    drawn = shap.plots.text(converted[0], display=False)
    length = int(e.mask.values[0].sum())
    words = e.data.values[0, :length].tolist()
    assert [word.strip() for word in converted[0].data[:length]] == words
    for word, value in zip(words, e.values.values[0], strict=False):
        assert word in drawn
        assert f"{value:.3f}".rstrip("0")[:5] in drawn  # shap prints three digits
