"""Removal: does the model need what an explanation, or its attention, ranks first?"""

from __future__ import annotations

import numpy as np

from .case import Case, over_time
from .evidence import Evidence, difference
from .removal import SHARES, outputs_by_share, places_of

# The shares of ERASER and two more, for the areas. The ends, 0 and 1, need no removal.
CURVE = (*SHARES[:4], 0.35, SHARES[4], 0.75)
# Random orders per sample; their mean is one control.
_DRAWS = 3
# Whether more is better.
BETTER = {
    "comprehensiveness": True,
    "sufficiency": False,
    "deletion area": False,
    "insertion area": True,
}


def ranking_evidence(case: Case, seed: int, progress: bool = False) -> list[Evidence]:
    """Remove the cells that are ranked first, then keep only them; with attention, steps too.

    Cells are ranked by how much they support the prediction: by value where the prediction is above
    the output without the sequence, by minus the value where it is below. Static facts stay.

    - comprehensiveness: the support that is lost without the first cells. More is better.
    - sufficiency: the support that is lost with the first cells alone. Less is better.
    - deletion area: below the curve of the support that is left, by the share of cells removed.
      Less is better.
    - insertion area: the same by the share of cells kept. More is better.

    All in units of the explained output. Controls: the mean of three random orders, and the
    explanation's order reversed.

    References
    ----------
    DeYoung et al. (2020), equations 1 and 2. Petsiuk, Das and Saenko (2018), "RISE", section 4.1:
    deletion and insertion.
    """
    rng = np.random.default_rng(seed)
    directions, e = case.directions()[:, None], case.explanation
    attention: dict[str, np.ndarray] = {}
    if e.attention is not None:
        attention["attention"] = e.attention.values
    if e.attention_contribution is not None:
        attention["attention contribution"] = directions * e.attention_contribution.values
    explanation = {"explanation": directions * case.values}
    if not attention or case.level not in ("cell", "time"):
        return _measured(case, explanation, directions, rng, progress)
    if case.level == "time":
        return _measured(case, explanation | attention, directions, rng, progress)
    steps = over_time(case)
    by_step = {"explanation": directions * steps.values} | attention
    by_cell = _measured(case, explanation, directions, rng, progress)
    return by_cell + _measured(steps, by_step, directions, rng, progress)


def _measured(
    case: Case,
    rankings: dict[str, np.ndarray],
    directions: np.ndarray,
    rng: np.random.Generator,
    progress: bool,
) -> list[Evidence]:
    """Measure several rankings of the same players and their controls, and how they compare."""
    # Static facts are not ranked: their scores are 0.
    count = case.players.count
    padded = {name: np.pad(s, ((0, 0), (0, count - s.shape[1]))) for name, s in rankings.items()}
    padded["inverted"] = -padded["explanation"]
    equal = {f"random {draw}": np.zeros(case.real.shape) for draw in range(_DRAWS)}
    places = {name: places_of(s, case.real, rng) for name, s in (padded | equal).items()}
    outputs = outputs_by_share(
        case.question,
        case.players,
        np.stack(list(places.values())),
        (*CURVE, 1.0),
        progress=progress,
    )
    # Support: how far an output is from that without the sequence, towards the prediction.
    empty = outputs[0, 0, :, -1:]
    full = directions * (case.question.predictions[:, None] - empty)
    support = directions * (outputs - empty)
    curves = dict(zip(places, np.moveaxis(support, 1, 0), strict=True))
    curves["random"] = np.mean([curves.pop(name) for name in equal], axis=0)
    curves["inverted"] = curves.pop("inverted")  # last, as in the figure
    evidence = [part for name in curves for part in _scores(case, name, full, curves[name])]
    totals = {(part.measure, part.of): part for part in evidence if part.share is None}
    pairs = [*((name, "random") for name in rankings), ("random", "inverted")]
    return evidence + [
        difference(totals[measure, one], totals[measure, other], better)
        for measure, better in BETTER.items()
        for one, other in pairs
    ]


def _scores(case: Case, name: str, full: np.ndarray, curves: np.ndarray) -> list[Evidence]:
    without, only = curves
    evidence = []
    losses = {"comprehensiveness": full - without, "sufficiency": full - only}
    for measure, loss in losses.items():
        for at, share in enumerate(CURVE):
            evidence.append(Evidence("removal", measure, name, loss[:, at], case.level, share))
        published = [CURVE.index(share) for share in SHARES]
        mean = loss[:, published].mean(axis=1)
        evidence.append(Evidence("removal", measure, name, mean, case.level))
    nothing = np.zeros_like(full)
    areas = {
        "deletion area": np.concatenate([full, without], axis=1),
        "insertion area": np.concatenate([nothing, only], axis=1),
    }
    for measure, curve in areas.items():
        area = np.trapezoid(curve, (0.0, *CURVE, 1.0), axis=1)
        evidence.append(Evidence("removal", measure, name, area, case.level))
    return evidence
