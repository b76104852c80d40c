"""``lime_values``: a second opinion, by LIME, on the same players and the same notion of absent.

LIME asks the model about random coalitions of a sample's players, and fits a linear model to the
answers in which coalitions near the sample weigh more. Its coefficients are the values. Players,
what stands for an absent one and what a coalition is worth are those of `shapley_values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ..arguments import check_flag, check_number, check_one_of, check_whole
from ..inspection.outputs import Output, Scale
from ..inspection.question import prepare
from ..sequences.data import SequenceData
from ..sequences.inputs import Role
from .coalitions import Game, check_window, games_of, values_of
from .explanation import Explanation
from .records import make_explanation

if TYPE_CHECKING:
    from lime.lime_base import LimeBase

Level = Literal["time", "feature", "window", "word"]
METHOD = "LIME"
# Coalitions per sample: at least so many, and so many for each player.
_LEAST, _PER_PLAYER = 1000, 10


def lime_values(
    model: Any,
    data: SequenceData | np.ndarray,
    *,
    background: Any = None,
    level: Level = "time",
    window: int | None = None,
    samples: int | None = None,
    ridge: float = 1.0,
    seed: int = 0,
    output: Output = None,
    step: int | Literal["last", "sum"] = "last",
    scale: Scale = "margin",
    batch_size: int | None = None,
    inputs: Mapping[Role, str] | None = None,
    progress: bool = True,
) -> Explanation:
    """Explain predictions by LIME: the coefficients of a linear model fitted around each sample.

    A player is present when its cells are the sample's, absent when they are those of a background
    row; a coalition is worth the mean over all rows, as in `shapley_values`. How many players are
    absent is drawn evenly from 1 to all of them, then which, as in LIME for texts; the sample
    itself is the first coalition. The package `lime` fits a ridge regression of the worths on who
    is present, in which a coalition at distance d weighs ``sqrt(exp(-d^2 / width^2))``:

    - numbers, as in LIME for tables: d is the Euclidean distance of two rows of 0 and 1, the root
      of the number of absent players, and the width 0.75 times the root of the number of players;
    - texts, as in LIME for texts: d is 100 times the cosine distance, and the width 25.

    The values do not add up to the prediction: the base value is the intercept of the linear model,
    and `gaps` holds what that model misses at the sample itself. Static facts are one player each.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData or array (sample, time, feature)
        The samples to explain.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; for texts by default "[UNK]".
    level : {"time", "feature", "window", "word"}
        What a player is; "word" is the "time" of a text.
    window : int, optional
        Steps per window, needed for ``level="window"``.
    samples : int, optional
        Coalitions drawn for each sample of the data; each is one evaluation of the model per
        background row. By default 1000, or 10 per player where that is more.
    ridge : float
        Penalty of the regression, 0 or more. LIME's own is 1; it pulls the values towards 0.
    seed : int
        Seed of the coalitions.
    output : int, str, list or None
        Position or name of a class, or "a-b" to contrast two. By default the value itself, the
        second class of a sigmoid, or the predicted class of each sample. A list or "all" gives an
        `output` dimension: the same coalitions are drawn, and the model runs, once for all.
    step : int, "last" or "sum"
        Which step's output, for models that give one per step.
    scale : {"margin", "probability"}
        The margin is additive: the value, or the log-odds of the class against the rest.
    batch_size : int, optional
        Rows per call of the model; less needs less memory.
    inputs : mapping of role to input name, optional
        ``{"sequence": ..., "static": ..., "mask": ...}`` where the roles cannot be told apart.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Explanation
        With `r_squared`, the weighted share of the worths' variance that the linear model explains,
        and `standard_errors`: how far another seed moves a value. They are those of White (1980),
        which hold where the model is not linear, and know nothing of what the penalty takes away.

    Raises
    ------
    ImportError
        The package `lime` is not installed.
    ValueError
        An unknown level, fewer than two coalitions per player, or what `shapley_values` refuses.

    References
    ----------
    Ribeiro, Singh and Guestrin (2016), "Why should I trust you?", KDD; White (1980), Econometrica
    48; MacKinnon and White (1985), Journal of Econometrics 29: HC2, for few coalitions.

    Examples
    --------
    >>> lime_values(model, data.test[:4], background=data.train, level="time")  # doctest: +SKIP
    """
    check_one_of(get_args(Level), level=level)
    check_whole(least=1, optional=True, window=window, samples=samples)
    check_number(least=0, ridge=ridge)
    check_whole(seed=seed)
    check_flag(progress=progress)
    check_window(level, window)
    base = _lime_base()
    question = prepare(
        model, data, background, output, step, scale, batch_size, inputs, several=True
    )
    is_text = question.data.tokens is not None
    if level == "word" and not is_text:
        raise ValueError(
            f'Expected level "word" for texts only; received it for {question.data.name}, whose '
            'steps are numbers. Give level="time".'
        )
    players = "time" if level == "word" else level
    games = games_of(question, players, window)
    largest = max(game.players.count for game in games)
    usual = max(_LEAST, _PER_PLAYER * largest)
    drawn = usual if samples is None else samples
    if drawn < 2 * (largest + 1):
        raise ValueError(
            f"Expected at least two coalitions for each of up to {largest} players and the base "
            f"value, {2 * (largest + 1)}; received samples={samples}. Leave samples out for "
            f"{usual}, or choose fewer players: longer windows."
        )
    rng, fits = np.random.default_rng(seed), []

    def estimate(game: Game) -> tuple[np.ndarray, np.ndarray]:
        present = draw(game.players.count, drawn, rng)
        different, which = np.unique(present, axis=0, return_inverse=True)
        worths = game.worths(different)[which]
        each = [fit(base, present, column, is_text, ridge) for column in worths.T]
        fits.extend(each)
        values, errors = (
            [getattr(f, name) for f in each] for name in ("values", "standard_errors")
        )
        return np.stack(values, axis=1), np.stack(errors, axis=1)

    arrays, static_values = values_of(question, games, players, window, estimate, progress)
    facts = {"step": step, "seed": seed, "samples": samples, "ridge": ridge}
    explanation = make_explanation(
        question, arrays, static_values, players, window, method=METHOD, **facts
    )
    base_values = explanation.base_values  # (sample,), or of several outputs (sample, output)
    fitted = {
        name: (base_values.dims, np.reshape([getattr(f, of) for f in fits], base_values.shape))
        for name, of in (("base_values", "intercept"), ("r_squared", "r_squared"))
    }
    return Explanation(explanation.to_dataset().assign(fitted))


@dataclass(frozen=True)
class Fit:
    """A linear model of the worth of coalitions.

    Attributes
    ----------
    values, standard_errors : float64 array (player,)
    intercept, r_squared : float
    """

    values: np.ndarray
    standard_errors: np.ndarray
    intercept: float
    r_squared: float


def draw(count: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw who is present in each coalition, bool (coalition, player); in the first one all are."""
    rank = rng.permuted(np.tile(np.arange(count), (samples, 1)), axis=1)
    num_absent = rng.integers(1, count + 1, size=(samples, 1))
    num_absent[0] = 0
    return rank >= num_absent


def distances_of(present: np.ndarray, is_text: bool) -> tuple[np.ndarray, float]:
    """Return the distance of each coalition from the one of all players, and the kernel's width.

    Examples
    --------
    >>> distances_of(np.array([[True, True, True, True], [True, False, False, False]]), True)
    (array([ 0., 50.]), 25.0)
    """
    count = present.shape[1]
    if is_text:  # the cosine of two rows of 0 and 1, one of them without a 0
        return 100 * (1 - np.sqrt(present.mean(axis=1))), 25.0
    return np.sqrt((~present).sum(axis=1)), 0.75 * float(np.sqrt(count))


def kernel(distances: np.ndarray, width: float) -> np.ndarray:
    """Return the weights of coalitions: LIME's exponential kernel."""
    return np.sqrt(np.exp(-(distances**2) / width**2))


def fit(
    base: type[LimeBase], present: np.ndarray, worths: np.ndarray, is_text: bool, ridge: float
) -> Fit:
    """Fit the weighted ridge regression by the package `lime`, with standard errors.

    The errors are White's sandwich, HC2: ``A^-1 (sum of w^2 r^2 / (1 - h) x x') A^-1`` with
    ``A = X' W X + penalty``, residuals r and leverages h. The first coalition is not drawn at
    random, and adds nothing to the middle.
    """
    from sklearn.linear_model import Ridge

    distances, width = distances_of(present, is_text)
    count = present.shape[1]
    regression = Ridge(alpha=ridge)
    fitted = base(lambda distances: kernel(distances, width)).explain_instance_with_data(
        present.astype(float), worths[:, None], distances, 0, count, "none", regression
    )
    intercept, r_squared, values = fitted[0], fitted[2], regression.coef_
    weights = kernel(distances, width)
    design = np.column_stack([present, np.ones(len(present))])
    penalty = np.diag([*np.full(count, ridge), 0.0])
    inverse = np.linalg.pinv(design.T @ (weights[:, None] * design) + penalty)
    leverage = weights * (design @ inverse * design).sum(axis=1)
    residuals = weights * (worths - intercept - present @ values)
    residuals /= np.sqrt(np.maximum(1 - leverage, 1e-9))
    scores = (residuals[:, None] * design)[1:]
    variance = np.diag(inverse @ (scores.T @ scores) @ inverse)[:count]
    return Fit(values, np.sqrt(variance), float(intercept), float(r_squared))


def _lime_base() -> type[LimeBase]:
    """Return the class of the package `lime` that fits the regression."""
    try:
        from lime.lime_base import LimeBase
    except ImportError as error:
        raise ImportError(
            "Expected the package lime, which fits the linear model; it is not installed. Run: "
            "pip install lime. Or explain with lx.shapley_values, which needs no further package."
        ) from error
    return LimeBase
