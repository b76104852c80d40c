"""Every reader of ``build_model(cell=...)``: padding adds nothing, files give the same model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

import lstm_explain as lx
from lstm_explain.models.encoders import ENCODERS, StepPositions

pytestmark = pytest.mark.slow
CELLS = list(ENCODERS)


def far_from_linear(model):
    """Give the weights that training changes a size that makes the network bend."""
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


def margin_of(model):
    """Return the model without its sigmoid, which may be 1 for numbers far apart."""
    return lx.backend.keras.Model(model.inputs, model.get_layer("head").output)


def made(cell, data):
    return far_from_linear(
        lx.build_model(
            data,
            cell=cell,
            units=(4, 4),
            attention_units=3,
            embedding_size=5,
            dropout=0.2,
            seed=1,
            beside=None,
        )
    )


@pytest.mark.parametrize("cell", CELLS)
def test_padding_adds_nothing_and_a_file_gives_the_same_model(cell, tmp_path):
    """Noise on padded steps changes no prediction; padded steps explain nothing.

    A gap would be an error: `explain` warns of it.
    """
    data = tiny.padded()
    model = made(cell, data)
    noise = np.random.default_rng(0).normal(size=data.values.shape).astype(np.float32)
    noisy = replace(data, values=np.where(data.mask[..., None], data.values, 9 * noise))
    expected = lx.predict(model, data)
    assert np.ptp(expected) > 1e-3
    margins, found = (
        margin_of(model).predict([part.values, part.mask], verbose=0) for part in (data, noisy)
    )
    np.testing.assert_allclose(found, margins, atol=1e-4 * np.std(margins))
    e = lx.explain(model, data.test[:3], background=data.train[:8], progress=False)
    assert (e.values.values[~e.mask.values] == 0).all()
    assert np.abs(e.values.values[e.mask.values]).max() > 1e-4
    assert (e.attention is None) is (cell == "echo state")
    model.save(tmp_path / "model.keras")
    again = lx.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(lx.predict(again, data), expected, rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_alone_and_beside_longer_ones_is_predicted_alike(cell):
    """Without its padding; as many steps as it has words."""
    data = tiny.texts()
    model = made(cell, data)
    short = int(data.lengths.argmin())
    length = data.lengths[short]
    margin = margin_of(model)
    alone = margin.predict([data.tokens[[short], :length], data.mask[[short], :length]], verbose=0)
    together = margin.predict([data.tokens, data.mask], verbose=0)
    np.testing.assert_allclose(alone, together[[short]], atol=1e-4 * np.std(together))


def test_an_echo_state_network_trains_its_head_alone():
    data = tiny.padded()
    model = made("echo state", data)
    assert [weight.path for weight in model.trainable_weights] == ["head/kernel", "head/bias"]
    recurrent = model.get_layer("random_states").get_weights()[1]
    np.testing.assert_allclose(np.linalg.svd(recurrent)[1], 0.9, rtol=1e-5)
    before = recurrent.copy()
    run = lx.train(model, data, epochs=2, progress=False, fit_baseline=False)
    np.testing.assert_array_equal(run.model.get_layer("random_states").get_weights()[1], before)
    texts = made("echo state", tiny.texts())
    assert {weight.path.split("/")[0] for weight in texts.trainable_weights} == {"head"}


def test_a_temporal_convolution_reads_the_first_step():
    """Of a sequence as long as the data's, at the last step: its holes grow with the length."""
    rng = np.random.default_rng(0)
    data = lx.SequenceData.from_arrays(rng.normal(size=(8, 40, 1)), rng.normal(size=8))
    data = data.split_by_group(0.25, 0.25)
    model = made("tcn", data)
    last = lx.backend.keras.Model(model.inputs, model.get_layer("attention").input)
    values = rng.normal(size=(1, 40, 1)).astype(np.float32)
    changed = values.copy()
    changed[0, 0] += 10
    one, other = (last.predict(array, verbose=0)[0, -1] for array in (values, changed))
    assert np.abs(one - other).max() > 1e-6


def test_positions_are_those_of_the_paper():
    """Vaswani et al. (2017), section 3.5, number by number."""
    found = np.asarray(StepPositions()(np.zeros((1, 5, 6), "float32")))[0]
    for step in range(5):
        for column in range(6):
            angle = step / 10000 ** (2 * (column // 2) / 6)
            expected = np.cos(angle) if column % 2 else np.sin(angle)
            np.testing.assert_allclose(found[step, column], expected, atol=1e-6)


def test_both_directions_need_a_recurrent_cell():
    with pytest.raises(ValueError, match=r"bidirectional=True with one of the cells .* Leave"):
        lx.build_model(tiny.padded(), cell="tcn", bidirectional=True, beside=None)
    model = lx.build_model(tiny.padded(), cell="gru", bidirectional=True, beside=None)
    assert model.get_layer("bidirectional_1").name == "bidirectional_1"
