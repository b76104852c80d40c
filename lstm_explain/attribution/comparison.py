"""``compare``: a sample as it was recorded beside the same sample after a change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..sequences.data import SequenceData, check_data
from ..sequences.editing import side_by_side
from .expected_gradients import explain
from .explanation import Explanation

LABELS = ("as recorded", "changed")


def compare(
    model: Any,
    recorded: SequenceData,
    changed: SequenceData,
    *,
    background: Any = None,
    **options: Any,
) -> Explanation:
    """Explain a sample before and after a change: "what if the lactate had been normal?".

    The change is made to the record, not to the patient: the result says what the model would have
    predicted, not what would have happened.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    recorded : SequenceData
        One sample.
    changed : SequenceData
        The same sample after ``recorded.change(...)``; for a text after ``rewrite`` or
        ``switch_off``.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    **options
        `output`, `step`, `scale`, `tolerance`, `batch_size`, `inputs` and `progress` of `explain`.
        Without `output` the predicted class of the recorded sample is explained in both.

    Returns
    -------
    Explanation
        Two samples, whose ids are "as recorded" and "changed": the predictions, attention and SHAP
        values of both, of the same output and against the same background.

    Raises
    ------
    ValueError
        Not one sample each, or nothing was changed.

    Examples
    --------
    >>> changed = patient.change("lactate", 1.5, steps=30)                    # doctest: +SKIP
    >>> compare(model, patient, changed, background=data.train).predictions   # doctest: +SKIP
    """
    check_data("Take one sample: patient = data.test[3].", recorded=recorded, changed=changed)
    if len(recorded) != 1 or len(changed) != 1:
        raise ValueError(
            f"Expected one sample before and one after the change; received {len(recorded)} and "
            f"{len(changed)}. Take one: patient = data.test[3]."
        )
    if recorded.tokens is None:
        both = _two_rows(recorded, changed)
    else:
        both = side_by_side(recorded, changed)
        if np.array_equal(both[0].own_words, both[1].own_words):
            raise ValueError(
                "Expected a text that was changed; received the same words twice. Change it: "
                'text.rewrite(["..."]) or text.switch_off([3]).'
            )
    both = replace(both, ids=np.array(LABELS))
    explanation = explain(model, both, background=background, **options)
    first, second = explanation.output.values
    if first != second:  # the predicted class has changed: that of the first is explained in both
        options["output"] = str(first)
        explanation = explain(model, both, background=background, **options)
    return explanation


def _two_rows(recorded: SequenceData, changed: SequenceData) -> SequenceData:
    """Return a sample before and after a change as two samples."""
    for field in ("mask", "center", "scale", "static_center", "static_scale", "ids"):
        if not np.array_equal(getattr(recorded, field), getattr(changed, field)):
            raise ValueError(
                f"Expected the same sample before and after recorded.change(...); their {field} "
                "differ. For two samples use lx.explain(model, data[[0, 3]], ...) and "
                "lx.plot_comparison."
            )
    facts = [np.zeros((1, 0)) if one.static is None else one.static for one in (recorded, changed)]
    if np.array_equal(facts[0], facts[1]) and np.array_equal(recorded.values, changed.values):
        raise ValueError(
            "Expected a sample that was changed; received the same numbers twice. Change it: "
            'patient.change("lactate", 1.5, steps=30).'
        )
    both = recorded[np.array([0, 0])]
    return replace(
        both,
        values=np.concatenate([recorded.values, changed.values]),
        static=None if both.static is None else np.concatenate(facts),
    )
