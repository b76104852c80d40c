"""The same labels, ids, numbers and backgrounds mean the same thing everywhere."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import tiny

import lstm_explain as lx
from lstm_explain import Explanation, SequenceData
from lstm_explain.faithfulness.page import samples_table

X = np.random.default_rng(0).normal(size=(6, 4, 2)).astype("float32")


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        ([1, 2, 1, 2, 1, 2], ("1", "2", "3"), [0, 1, 0, 1, 0, 1]),
        ([3.0, 2.0, 1.0, 2.0, 1.0, 2.0], ("1", "2", "3"), [2, 1, 0, 1, 0, 1]),
        ([-1, 1, -1, 1, 1, 1], ("-1", "1"), [0, 1, 0, 1, 1, 1]),
        ([0, 1, 0, 1, 1, 1], ("1", "0"), [1, 0, 1, 0, 0, 0]),
        ([0, 1, 0, 1, 1, 1], ("survived", "died"), [0, 1, 0, 1, 1, 1]),  # positions
    ],
)
def test_numbers_that_are_the_names_of_classes_are_read_as_names(labels, names, expected):
    data = SequenceData.from_arrays(X, labels, class_names=names)
    np.testing.assert_array_equal(data.target, expected)
    again = SequenceData.from_arrays(X, labels)
    if again.class_names and set(again.class_names) <= set(
        names
    ):  # the classes of old data, for new labels
        named = [names[position] for position in data.target]
        assert named == [again.class_names[position] for position in again.target]


def test_ids_as_pandas_holds_them():
    table = pd.DataFrame({"patient": ["P1", "P2", "P1", "P3", "P2", "P4"]}).astype(object)
    data = SequenceData.from_arrays(X, ids=table["patient"].to_numpy())
    for wanted in (table["patient"].unique()[:2], table["patient"].drop_duplicates().head(2)):
        np.testing.assert_array_equal(data[wanted].values, X[[0, 2, 1, 4]])


def test_explanations_with_other_background_rows_are_not_joined():
    model, data = tiny.model(), tiny.padded()
    parts = [
        lx.explain(model, data.test[rows], background=data.train[[0, 1, 2]], progress=False)
        for rows in ([0, 1], [2, 3])
    ]
    joined = Explanation.concat(parts)
    np.testing.assert_array_equal(joined.values[:2], parts[0].values)
    other = lx.explain(model, data.test[[2, 3]], background=data.train[[3, 4, 5]], progress=False)
    with pytest.raises(ValueError, match="differs from the first in background rows"):
        Explanation.concat([parts[0], other])


def test_the_page_names_samples_as_the_figures_do():
    model, data = tiny.model(), tiny.padded()
    e = lx.explain(model, data.test[:5], background=data.train, progress=False)
    rows = samples_table(e[[3, 4]])
    assert "<td>3</td>" in rows
    assert "<td>4</td>" in rows
    assert "<td>0</td>" not in rows.split("</tr>")[1]


def test_small_numbers_reach_the_plots_of_shap():
    model = lx.build_model(
        data := SequenceData.from_arrays(1e-6 * X, X[:, 0, 0]), units=(3,), beside=None
    )
    e = lx.explain(model, data, background=data, progress=False).over_features()
    np.testing.assert_allclose(e.to_shap().data, e.data.mean("time"), rtol=1e-12)
    assert np.abs(e.to_shap().data).max() < 1e-5


def test_decimal_numbers_of_a_database_are_numbers():
    target = [Decimal("1.5"), Decimal("9.5"), Decimal("10.25")] * 2
    data = SequenceData.from_arrays(X, np.array(target, object))
    assert data.task == "regression"
    np.testing.assert_array_equal(data.target, [1.5, 9.5, 10.25] * 2)


@pytest.mark.parametrize(("events", "has_interval"), [(1, False), (3, False), (12, True)])
def test_too_few_events_have_no_interval(events, has_interval):
    """Draws without an event have no AUROC; of one event the others hold always the same one."""
    happened = np.arange(60) < events
    values = np.random.default_rng(1).normal(size=(60, 3, 1))
    data = SequenceData.from_arrays(values, happened.astype(int), class_names=["no", "yes"])
    predictions = 1 / (1 + np.exp(-(happened + values[:, 0, 0])))
    table = lx.models.score_with_interval(data, predictions, draws=300)
    assert np.isfinite(table.loc["auroc", ["low", "high"]].astype(float)).all() == has_interval
    assert np.isfinite(float(table.loc["auroc"].iloc[0]))
