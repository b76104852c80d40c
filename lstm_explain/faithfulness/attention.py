"""Do attention weights agree with SHAP values and gradients, and does the prediction need them?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..attribution.agreement import kendall
from ..backend import ops
from ..inspection.compiled import in_batches
from ..inspection.interventions import attention_replaced, run
from ..inspection.observation import inputs_of
from ..inspection.question import selected
from ..internals.responses import gradient_sizes
from ..intervals import CORRELATION, SIZE
from .case import Case, over_time
from .evidence import Evidence
from .sensitivity import permuted

Replacement = Callable[[np.ndarray, np.ndarray], np.ndarray]


def agreement_evidence(case: Case, seed: int) -> list[Evidence]:
    """Return Kendall's tau of attention with |SHAP| or |LIME|, and with the size of gradients.

    The ranking is over steps. The same for the size of attention's signed contribution and, as
    control, for a random order.

    References
    ----------
    Jain and Wallace (2019), "Attention is not explanation", section 4.1.
    """
    e = case.explanation
    if e.attention is None or case.level not in ("cell", "time"):
        return []
    steps = over_time(case) if case.level == "cell" else case
    mask, rng = case.question.subject.mask, np.random.default_rng(seed)
    sizes = np.abs(steps.values[:, : mask.shape[1]])
    ways = {f"|{e.value_name.split()[0]}|": sizes, "gradients": gradient_sizes(case.question)}
    rankings = {"attention": e.attention.values}
    if e.attention_contribution is not None:
        rankings["attention contribution"] = np.abs(e.attention_contribution.values)
    rankings["random"] = rng.random(mask.shape)
    return [
        Evidence(
            "agreement",
            f"Kendall tau with {way}",
            name,
            kendall(one, other, mask),
            "time",
            limits=CORRELATION,
        )
        for way, other in ways.items()
        for name, one in rankings.items()
    ]


def replacement_evidence(case: Case, seed: int) -> list[Evidence]:
    """Return how far predictions move when attention is uniform, or permuted among real steps.

    Measured is |difference|, in spreads of the predictions. The weights of all `AttentionPooling`
    layers are replaced; a model without such a layer has no evidence.

    References
    ----------
    Jain and Wallace (2019), section 4.2.1: permutation. Wiegreffe and Pinter (2019), "Attention is
    not not explanation", section 3.2: uniform weights.
    """
    anatomy = case.question.anatomy
    if not anatomy.pooling_layers:
        return []
    rng = np.random.default_rng(seed)
    before = case.question.predictions
    # Both sides call the model in the same way: ways differ in rounding.
    unchanged = _predictions(case, lambda weights, real: weights)
    ways = {
        "uniform": lambda weights, real: real / np.maximum(real.sum(axis=1, keepdims=True), 1),
        "permuted": lambda weights, real: permuted(weights, real, rng),
    }
    if not np.allclose(unchanged, before, rtol=1e-3, atol=1e-3 * case.spread):
        return []
    return [
        Evidence(
            "replacement", "prediction moved", f"{name} attention",
            np.abs(_predictions(case, way) - unchanged) / case.spread, "time", limits=SIZE,
        )
        for name, way in ways.items()
    ]  # fmt: skip


def _predictions(case: Case, replacement: Replacement) -> np.ndarray:
    """Return the explained output of each sample with other attention weights, (sample,)."""
    question, anatomy = case.question, case.question.anatomy

    def evaluate(*inputs: np.ndarray) -> tuple[Any]:
        changes = [attention_replaced(layer, replacement) for layer in anatomy.pooling_layers]
        # Tensors: Keras warns of an array where a model was built on a list of one input.
        return (run(anatomy, [ops.convert_to_tensor(part) for part in inputs], changes),)

    raw = in_batches(evaluate, question.batch_size, *inputs_of(anatomy, question.data))[0]
    return selected(raw, question.selection, anatomy)
