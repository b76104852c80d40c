"""Rows one by one give what the same windows give together, and what does not fit is refused."""

import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import SequenceData
from lstm_explain.backend import ops
from lstm_explain.sequences.inputs import record_learned

STEPS, ROWS = 5, 40
NAMES = ["load", "heat", "noise"]


def series(seed=0, static=False, cut=False):
    """Rows of one machine, and all their windows, scaled by the first half."""
    rng = np.random.default_rng(seed)
    rows = rng.normal([50.0, 7.0, 0.0], [9.0, 2.0, 1e-3], (ROWS, 3))
    days = np.arange(ROWS) + np.datetime64("2024-03-01")
    windows = np.lib.stride_tricks.sliding_window_view(rows, STEPS, axis=0).transpose(0, 2, 1)
    data = SequenceData.from_arrays(
        windows,
        windows[:, -1, 0],
        feature_names=NAMES,
        static=np.full((len(windows), 1), 60.0) + rng.normal(size=(len(windows), 1))
        if static
        else None,
        static_names=["age"] if static else None,
        times=np.lib.stride_tricks.sliding_window_view(days, STEPS),
        split=np.repeat(["train", "validation", "test"], [20, 6, len(windows) - 26]),
    )
    if cut:
        data = data.clip_outliers((0.1, 0.9))
    return rows, days, data.standardise()


def network(data):
    model = lx.build_model(data, units=(4,), attention_units=3, beside=None, seed=1)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(scale=0.6, size=w.shape) for w in model.get_weights()])
    return model


def assert_as_together(e, f):
    """Compare two explanations of one window."""
    size = np.abs(f.values.values).max()
    np.testing.assert_allclose(e.values, f.values, atol=1e-5 * size)
    np.testing.assert_allclose(e.predictions, f.predictions, rtol=1e-5)
    np.testing.assert_allclose(e.base_values, f.base_values, rtol=1e-5)
    np.testing.assert_allclose(e.attention, f.attention, atol=1e-5)
    np.testing.assert_array_equal(e.times, f.times)
    np.testing.assert_allclose(e.data, f.data, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("cut", [False, True])
def test_each_step_equals_the_batch(cut):
    rows, days, data = series(cut=cut)
    model = network(data)
    monitor = lx.Monitor(model, data.train, name="pump 7")
    scores = [
        monitor.update(dict(zip(NAMES, row, strict=True)), time=day)
        for row, day in zip(rows, days, strict=True)
    ]
    assert scores[: STEPS - 1] == [None] * (STEPS - 1)
    together = lx.predict(model, data)
    np.testing.assert_allclose(np.stack(scores[STEPS - 1 :]), together, rtol=1e-5, atol=1e-5)
    last = data[len(data) - 1]
    np.testing.assert_allclose(monitor.window.values, last.values, atol=1e-5)
    e = monitor.explain()
    assert_as_together(e, lx.explain(model, last, background=data.train, progress=False))
    assert e.ids.values.tolist() == ["pump 7"]
    assert "pump 7" in repr(monitor)
    assert "5 of 5 rows, the last at 2024-04-09" in repr(monitor)


@pytest.mark.slow
def test_facts_and_a_score_of_ones_choice():
    rows, _, data = series(static=True)
    model = network(data)

    def twice(outputs):
        return 2 * ops.sum(outputs, axis=-1)

    age = float(data.display_static[-1, 0])
    monitor = lx.Monitor(model, data.train, output=twice, static={"age": age})
    for row in rows:
        score = monitor.update(row)
    last = data[len(data) - 1]
    np.testing.assert_allclose(score, 2 * lx.predict(model, last)[0], rtol=1e-5)
    e = monitor.explain()
    f = lx.explain(model, last, background=data.train, output=twice, progress=False)
    np.testing.assert_allclose(e.static_values, f.static_values, rtol=1e-4)
    np.testing.assert_allclose(e.predictions, score, rtol=1e-5)


def test_a_model_that_masks_answers_from_the_first_row_on():
    data, model = tiny.padded(), tiny.model()
    monitor = lx.Monitor(model, data.train)
    sample = data.test[0]
    for row in sample.values[0, : sample.lengths[0]]:
        score = monitor.update(pd.Series(row, list(data.feature_names)))
    np.testing.assert_allclose(score, lx.predict(model, sample)[0], rtol=1e-5)
    assert len(monitor) == sample.lengths[0]
    monitor.reset()
    assert len(monitor) == 0
    with pytest.raises(ValueError, match=r"Expected 1 rows for a window; received 0\. Call"):
        monitor.explain()


def test_a_row_that_does_not_fit_is_left_out():
    _, days, data = series()
    monitor = lx.Monitor(network(data), data.train)
    monitor.update([50, 7, 0], time=days[3])
    for row, time, message in [
        ([50, 7, 0], days[3], r"a time later than 2024-03-04.*received.*2024-03-04.* in the order"),
        ([50, 7, 0], days[1], r"a time later than 2024-03-04"),
        ([50, 7, 0], None, r"a time for all rows or for none"),
        ([50, 7, 0], 5, r"Expected a time like 2024-03-04.*; received 5\. Give dates"),
        ([50, np.nan, 0], days[4], r"a row of finite numbers; received \{'heat': nan\}\. Fill it"),
        ([50, 7], days[4], r"a row of 3 numbers, .* received the shape \(2,\)"),
        ({"load": 1, "heat": 2, "nose": 3}, days[4], r"without \['noise'\] and with \['nose'\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            monitor.update(row, time=time)
    assert len(monitor) == 1
    with pytest.raises(ValueError, match=r"Expected 5 rows for a window; received 1"):
        _ = monitor.window


def test_data_that_rows_cannot_be_read_with():
    _, _, data = series()
    facts = series(static=True)[2]
    with pytest.raises(ValueError, match=r"static facts with the names \['age'\]; received None"):
        lx.Monitor(network(facts), facts.train)
    model, few = network(data), data.train.values[..., :2]
    with pytest.raises(ValueError, match=r"Expected 3 features for the model input .* received 2"):
        lx.Monitor(model, replace(data.train, values=few, feature_names=("load", "heat")))
    record_learned(model, data)
    with pytest.raises(ValueError, match="Expected data standardised as those that"):
        lx.Monitor(model, replace(data.train, scale=2 * data.scale))
    charts = tiny.charts().fill_missing(indicators=True)
    with pytest.raises(ValueError, match=r"Expected complete measurements .* data with gaps"):
        lx.Monitor(network(data), charts.train)
    with pytest.raises(ValueError, match=r"Expected complete measurements .* received texts"):
        lx.Monitor(tiny.text_model(), tiny.texts().train)


@pytest.mark.slow
def test_memory_does_not_grow():
    """What Python holds after 620 rows and after 120, in bytes; a row that stays has over 150."""
    rows, _, data = series()
    monitor = lx.Monitor(network(data), data.train)

    def held(count):
        for step in range(count):
            monitor.update(rows[step % ROWS])
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    held(20)  # compiles
    tracemalloc.start()
    before, after = held(100), held(500)
    tracemalloc.stop()
    # TensorFlow keeps up to about 800 scalars of 57 bytes for good.
    assert after - before < 500 * 100
    assert len(monitor) == STEPS
