"""What a target is taken for: by its type, by what is said of it, and of several at once."""

import numpy as np
import pandas as pd
import pytest
from sequences.tables import from_table, panel, table, windows

from lstm_explain import SequenceData
from lstm_explain.sequences.targets import check_one_target

VALUES = np.random.default_rng(0).normal(size=(6, 4, 1))
PAIR = np.arange(12.0).reshape(6, 2)
LABELS = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0], [1, 1]])


def made(target, **options):
    return SequenceData.from_arrays(VALUES, target, **options)


# -- two classes: the one that is explained --------------------------------------------------------
@pytest.mark.parametrize(
    ("target", "positive", "names", "read"),
    [
        (["died", "survived"] * 3, "died", ("survived", "died"), [1, 0] * 3),
        (["died", "survived"] * 3, "survived", ("died", "survived"), [0, 1] * 3),
        ([1, 0] * 3, 0, ("1", "0"), [0, 1] * 3),
        ([1.0, 0.0] * 3, 0, ("1", "0"), [0, 1] * 3),
        ([True, False] * 3, False, ("True", "False"), [0, 1] * 3),
    ],
)
def test_the_positive_class_is_the_last(target, positive, names, read):
    data = made(target, positive=positive)
    assert (data.class_names, data.target.tolist()) == (names, read)


def test_the_positive_class_is_said_in_every_factory():
    """Labels are those of the same rows as without it."""
    frame = table(died=["no", "yes", "no", "yes", "no"])
    texts = SequenceData.from_texts(["a b", "b c"], ["bad", "good"], positive="bad")
    tokens = SequenceData.from_tokens([[1], [2]], ["bad", "good"], positive="bad")
    for data in (from_table(frame, positive="no"), texts, tokens):
        plain = tuple(sorted(data.class_names))
        assert data.class_names == plain[::-1]
    assert from_table(frame, positive="no").target.tolist() == [1, 0]
    assert texts.target.tolist() == tokens.target.tolist() == [1, 0]
    assert SequenceData.from_arrays(VALUES, positive="a", class_names=["a", "b"]).class_names == (
        "b",
        "a",
    )


def test_given_positions_are_read_before_the_positive_class_moves():
    data = made([0, 1] * 3, class_names=["died", "survived"], positive="died")
    assert [data.class_names[position] for position in data.target] == ["died", "survived"] * 3


# -- numbers or classes ----------------------------------------------------------------------------
def test_what_the_target_is_can_be_said():
    numbers = made([3, 1, 2, 5, 4, 3], task="regression")
    assert (numbers.task, numbers.target.tolist()) == ("regression", [3, 1, 2, 5, 4, 3])
    classes = made([1.0, 0.0] * 3, task="classes")
    assert (classes.class_names, classes.target.tolist()) == (("0", "1"), [1, 0] * 3)
    labels = made(LABELS.astype(float), target_names=["pain", "fever"], task="classes")
    assert (labels.task, labels.target.tolist()) == ("multilabel", LABELS.tolist())
    counts = made(PAIR.astype(int), target_names=["a", "b"], task="regression")
    assert (counts.task, counts.target.tolist()) == ("regression", PAIR.tolist())


def test_whole_numbers_of_many_values_are_no_classes_unless_somebody_says_so():
    """A length of stay would be a class for each day; up to 10 values nothing changes."""
    values, days = np.random.default_rng(1).normal(size=(11, 2, 1)), np.arange(11)
    with pytest.raises(ValueError, match=r"of 11 values, 0 to 10, or floats.*task=\"regression\""):
        SequenceData.from_arrays(values, days)
    assert len(SequenceData.from_arrays(values[:10], days[:10]).class_names) == 10
    assert SequenceData.from_arrays(values, days.astype(float)).task == "regression"
    assert SequenceData.from_arrays(values, days, task="regression").task == "regression"
    for said in ({"task": "classes"}, {"class_names": list(map(str, days))}):
        assert len(SequenceData.from_arrays(values, days, **said).class_names) == 11
    assert len(SequenceData.from_arrays(values, days.astype(str)).class_names) == 11


# -- several targets -------------------------------------------------------------------------------
def test_several_numbers_and_labels_keep_their_columns():
    numbers = made(PAIR, target_names=["day 1", "day 2"])
    assert (numbers.task, numbers.class_names) == ("regression", ())
    assert (numbers.target_names, numbers.target.tolist()) == (("day 1", "day 2"), PAIR.tolist())
    for labels in (LABELS, LABELS.astype(bool), LABELS.astype(object)):
        data = made(labels, target_names=["pain", "fever"])
        assert (data.task, data.class_names) == ("multilabel", ("pain", "fever"))
        assert data.target.tolist() == LABELS.tolist()
    assert "2 targets" in repr(numbers)
    assert "2 labels" in repr(data)
    assert numbers[2:4].target.tolist() == PAIR[2:4].tolist()


def test_data_without_a_target_keep_the_names_for_what_a_model_says():
    data = made(None, target_names=["day 1", "day 2"])
    assert (data.task, data.target_names, data.class_names) == (
        "regression",
        ("day 1", "day 2"),
        (),
    )
    labels = made(None, target_names=["pain", "fever"], task="classes")
    assert (labels.task, labels.class_names) == ("multilabel", ("pain", "fever"))


def test_one_of_several_targets_is_what_it_is_alone():
    data = made(PAIR, target_names=["day 1", "day 2"]).for_target("day 2")
    alone = made(PAIR[:, 1], target_name="day 2")
    assert (data.task, data.target_name, data.target_names) == ("regression", "day 2", ())
    np.testing.assert_array_equal(data.target, alone.target)
    fever = made(LABELS, target_names=["pain", "fever"]).for_target("fever")
    assert (fever.task, fever.class_names) == ("binary", ("not fever", "fever"))
    assert fever.target.tolist() == LABELS[:, 1].tolist()


def test_a_table_has_several_targets():
    """Of a window those in its last row; a row counts where all of its targets are there."""
    frame = panel(9, ("a", "b"))
    frame["next"] = frame.groupby("id")["x"].shift(-1)
    data = windows(frame, target=["next", "ahead"])
    last = data.times[:, -1]
    starts = np.where(data.ids == "a", 0, 100)
    np.testing.assert_array_equal(data.target, np.column_stack([starts + last + 1, last + 2]))
    assert (data.target_names, data.horizon, last.max()) == (("next", "ahead"), 2, 6)
    one = from_table(target=["died"])
    assert (one.target_name, one.target_names, one.target.tolist()) == ("died", (), [1, 0])
    labels = from_table(table(ill=[True, True, True, True, True]), target=["died", "ill"])
    assert (labels.task, labels.target.tolist()) == ("multilabel", [[1, 1], [0, 1]])


def test_a_rewritten_text_keeps_the_names_of_its_labels():
    labels = {"target_names": ["warm", "long"]}
    data = SequenceData.from_texts(["a b", "b c"], [[0, 1], [1, 1]], **labels)
    new = data.rewrite(["b b"])
    assert (new.task, new.target_names, new.target) == ("multilabel", ("warm", "long"), None)


# -- what is refused -------------------------------------------------------------------------------
ONE_HOT = np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2]]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (PAIR, {}, r"or several with names; received shape \(6, 2\). Name them.*target_names=\["),
        (ONE_HOT, {}, r"\(6, 3\). If each row marks one class.*argmax\(axis=1\). Name them if"),
        (PAIR, {"target_names": ["a"]}, r"2 different target_names; received 1"),
        (PAIR, {"target_names": "ab"}, "target_names to be a list; received 'ab'"),
        (PAIR[:, 0], {"target_names": ["a"]}, r"received shape \(6,\). Name one target by target"),
        (LABELS, {"target_names": ["a", "b"], "positive": "a"}, "without class_names and positive"),
        (PAIR.astype(int), {"target_names": ["a", "b"]}, r"labels of 0 and 1 .*astype\(float\)"),
        (
            LABELS * 1.0,
            {"target_names": ["a", "b"]},
            'floats that are all 0 or 1. Say which: task="',
        ),
        (PAIR * np.nan, {"target_names": ["a", "b"]}, "a target for every sample; received 12 mis"),
        (["x", "y"] * 3, {"positive": "z"}, r"one of two classes; received 'z', .*\['x', 'y'\]"),
        (["x", "y", "z"] * 2, {"positive": "z"}, "of more, name the one to explain by output"),
        (None, {"positive": "z"}, r"received 'z', and the classes \[\]"),
        (["x", "y"] * 3, {"task": "regression"}, r"received type <U1. Convert .*astype\(float\)"),
        ([0, 1] * 3, {"task": "regression", "positive": 1}, "without class_names and positive"),
        ([0, 0.5] * 3, {"task": "classes"}, r"whole numbers as classes; received \[0.0, 0.5\]"),
        ([0, 1] * 3, {"task": "binary"}, r"one of \['regression', 'classes'\]; received 'binary'"),
        ([0, 1] * 3, {"split": ["train"] * 5 + ["dev"]}, r"one of \['train', .*'dev'"),
    ],
)
def test_what_is_not_clear_is_refused_with_a_remedy(target, options, message):
    with pytest.raises(ValueError, match=f"Expected.*{message}"):
        made(target, **options)


@pytest.mark.parametrize("lengths", [None, [4, 3, 2, 4, 1, 4]])
@pytest.mark.parametrize("columns", [(), (1,)])
def test_targets_per_step_are_told_to_take_the_last(lengths, columns):
    """Not the argmax, which would be the number of a step. The line that is offered works."""
    target = ((np.arange(6)[:, None] + np.arange(4)) % 2).reshape(6, 4, *columns)
    with pytest.raises(ValueError, match="one for each step, take that of the last: ") as error:
        made(target, lengths=lengths)
    assert "argmax" not in str(error.value)
    offered = str(error.value).split("of the last: ")[1].split(". Name")[0]
    names = {"target": target, "np": np, "lengths": np.array(lengths)}
    last = eval(offered, names)  # noqa: S307 (the line that the message offers)
    ends = [4] * 6 if lengths is None else lengths
    expected = [row[end - 1].item() for row, end in zip(target, ends, strict=True)]
    assert made(last, lengths=lengths).target.tolist() == expected


def test_several_series_of_targets_are_put_side_by_side():
    target = np.random.default_rng(2).normal(size=(6, 3, 2))
    with pytest.raises(ValueError, match=r"side by side: target.reshape\(len\(target\), -1\)"):
        made(target)
    together = made(target.reshape(len(target), -1), target_names=list("abcdef"))
    np.testing.assert_allclose(together.for_target("d").target, target[:, 1, 1], rtol=1e-6)


def test_a_target_that_is_not_there_or_one_of_several_is_refused():
    data = made(PAIR, target_names=["day 1", "day 2"])
    with pytest.raises(ValueError, match=r"one of several targets, \['day 1', .*Give one of these"):
        data.for_target("day 3")
    with pytest.raises(ValueError, match=r"received 'target'. This data has one target"):
        made(PAIR[:, 0]).for_target("target")
    with pytest.raises(ValueError, match=r"one target; received 2. Take one: data.for_target\('da"):
        check_one_target(data)


# -- official splits -------------------------------------------------------------------------------
def test_an_official_split_is_taken_in_every_factory():
    labels = ["test", "train", "validation", "train", "train", "test"]
    assert made([0, 1] * 3, split=labels).split.tolist() == labels
    tokens = SequenceData.from_tokens([[1], [2]], split=[False, True])
    assert tokens.split.tolist() == ["test", "train"]
    parts = ["test", "train", "test", "train", "test"]
    assert from_table(table(part=parts), split="part").split.tolist() == ["test", "train"]
    frame = panel(9, part=["train"] * 6 + ["test"] * 3)
    data = windows(frame, split="part", id=None)
    assert data.split.tolist() == frame["part"][data.times[:, -1]].tolist()
    with pytest.raises(
        ValueError, match=r"one value of split 'part' per sequence; received 'test'"
    ):
        from_table(table(part=["test", "train", "train", "train", "test"]), split="part")
    with pytest.raises(ValueError, match="a split column 'fold'; received other columns"):
        from_table(split="fold")


# -- stratified splits -----------------------------------------------------------------------------
def test_stratified_parts_have_their_share_of_every_class():
    """Samples alone: the shares exactly, whatever the seed."""
    values = np.random.default_rng(3).normal(size=(100, 2, 1))
    data = SequenceData.from_arrays(values, np.repeat(["ill", "well", "dead"], [20, 70, 10]))
    splits = []
    for seed in range(3):
        split = data.split_by_group(0.2, 0.1, seed=seed, stratify=True)
        counts = pd.crosstab(split.split, np.array(data.class_names)[data.target])
        assert counts.loc["test"].to_dict() == {"ill": 2, "well": 7, "dead": 1}
        assert counts.loc["validation"].to_dict() == {"ill": 4, "well": 14, "dead": 2}
        splits.append(split.split.tolist())
    assert splits[0] != splits[1] != splits[2]


def test_stratified_groups_stay_whole_and_come_nearer_to_the_shares(rng):
    """Of patients of several stays, few of whom die, against the plain split over 20 seeds."""
    ids = rng.integers(0, 60, 300)
    target = np.where(np.isin(ids, range(8)), "died", "survived")
    values = rng.normal(size=(300, 2, 1))
    data = SequenceData.from_arrays(values, target, ids=ids, positive="died")
    misses = {False: [], True: []}
    for seed in range(20):
        for stratify, miss in misses.items():
            split = data.split_by_group(0.25, 0.25, seed=seed, stratify=stratify)
            assert (pd.Series(split.split).groupby(ids).nunique() == 1).all()
            shares = pd.Series(split.split[data.target == 1]).value_counts(normalize=True)
            miss.append(abs(shares.get("test", 0.0) - 0.25))
    assert max(misses[True]) < 0.1 < np.mean(misses[False])


@pytest.mark.parametrize(
    ("target", "options", "received"),
    [
        (PAIR[:, 0], {}, "a regression target"),
        (LABELS, {"target_names": ["a", "b"]}, r"a multilabel target.*data.for_target"),
        (None, {}, "no target"),
    ],
)
def test_only_classes_are_stratified(target, options, received):
    with pytest.raises(
        ValueError, match=f"Expected classes for stratify=True; received {received}"
    ):
        made(target, **options).split_by_group(stratify=True)
