"""States of the explorer: later edits cover earlier ones, and each action can be undone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import gappy

from lstm_explain.widgets.state import Edit, State, changed, edited, pinned, redone, reset, undone

EDITS = st.lists(
    st.one_of(
        st.builds(
            lambda name, value, ends: Edit(name, value, (min(ends), max(ends))),
            st.sampled_from(["lactate", "pulse"]),
            st.one_of(st.none(), st.floats(-5, 30, width=16)),
            st.tuples(st.integers(0, 5), st.integers(0, 5)),
        ),
        st.builds(Edit, st.sampled_from(["age", "ward"]), st.floats(0, 90, width=16)),
    ),
    max_size=8,
)


@given(edits=EDITS)
@settings(max_examples=60)
def test_edits_that_later_ones_cover_can_be_left_out(edits):
    """The state keeps fewer edits than were made, and says the same about the sample."""
    sample = gappy()[1].test[0]
    state = State(0)
    for edit in edits:
        state = changed(state, edit)
    kept, all_of_them = edited(sample, state.edits), edited(sample, tuple(edits))
    # float32: values that were set and set back may differ in the last digit
    np.testing.assert_allclose(kept.values, all_of_them.values, atol=2e-6)
    np.testing.assert_allclose(kept.static, all_of_them.static, atol=2e-6)
    assert len(state.edits) <= len(edits)


def test_undo_and_redo_go_deed_by_deed_and_reset_can_be_undone():
    state = State(0)
    for value, joined in ((1.0, False), (2.0, True), (3.0, False)):  # a drag, then another value
        state = changed(state, Edit("pulse", value, (1, 2)), joined)
    state = changed(state, Edit("age", 50.0))
    both = state.edits
    assert both == (Edit("pulse", 3.0, (1, 2)), Edit("age", 50.0))
    assert undone(state).edits == both[:1]
    assert undone(undone(state)).edits == (Edit("pulse", 2.0, (1, 2)),)
    first = undone(undone(undone(state)))
    assert first.edits == ()
    assert undone(first) == first
    for edits in ((Edit("pulse", 2.0, (1, 2)),), both[:1], both, both):
        first = redone(first)
        assert first.edits == edits
    assert undone(redone(undone(state))) == undone(state)
    assert redone(changed(undone(state), Edit("ward", 1.0))).edits[-1] == Edit("ward", 1.0)
    assert reset(state).edits == ()
    assert undone(reset(state)).edits == both
    assert pinned(state).pinned == both
    # a change of other steps covers nothing
    assert len(changed(state, Edit("pulse", 1.0, (2, 3))).edits) == 3
