"""Error against model evaluations: python tests/benchmarks/shapley_evaluations.py.

Shapley values of the 48 hours of one ICU stay, 100 background rows: our antithetic orders
against ``shap.KernelExplainer`` and the samplers of shapiq on the same game, whose every coalition
is evaluated on all rows. Needs ``pip install shapiq`` beside the package.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import shap
import shapiq
from explain_speed import relative_error
from icu_model import trained

import lstm_explain as lx
from lstm_explain.attribution.coalitions import Game, players_of
from lstm_explain.inspection.question import prepare


def main() -> None:
    model, data = trained()
    rng = np.random.default_rng(0)
    rows = data.train.values[rng.permutation(len(data.train))[:100]]
    x = data.test.values[rng.permutation(len(data.test))[:1]]
    options = {"background": rows, "level": "time", "progress": False}
    long = lx.shapley_values(model, x, budget=1_000_000, seed=99, **options)
    reference = long.values.values[0]
    noise = np.linalg.norm(long.standard_errors) / np.linalg.norm(reference)
    print(f"reference: {long.provenance['model_evaluations']:,} evaluations, noise {noise:.2%}")
    for budget in (9_600, 19_200, 48_000):
        runs = [
            lx.shapley_values(model, x, budget=budget, seed=seed, **options) for seed in range(3)
        ]
        errors = [relative_error(run.values.values[0], reference) for run in runs]
        used = runs[0].provenance["model_evaluations"]
        print(f"ours             {used:8,} evaluations  error {np.mean(errors):.2%}")
    question = prepare(model, x, rows, None, "last", "margin", None, None)
    players = players_of("time", question.subject.mask[0], (x.shape[2], 0), 1)
    game = Game.of(question, 0, players)
    explainer = shap.KernelExplainer(game.worth, np.zeros((1, players.count)))
    for coalitions in (500, 2000):
        values = explainer.shap_values(
            np.ones((1, players.count)), nsamples=coalitions, l1_reg=False, silent=True
        )
        error = relative_error(np.asarray(values).reshape(-1), reference)
        print(f"KernelExplainer  {coalitions * len(rows):8,} evaluations  error {error:.2%}")
    paired = {"pairing_trick": True}
    samplers = (
        (shapiq.KernelSHAP, paired), (shapiq.SVARM, paired), (shapiq.PermutationSamplingSV, {}),
    )  # fmt: skip
    for (sampler, more), coalitions in product(samplers, (192, 480, 2000)):
        errors = []
        for seed in range(3):
            result = sampler(n=players.count, random_state=seed, **more).approximate(
                coalitions, lambda present: game.worth(np.atleast_2d(present))
            )
            values = [result[(player,)] for player in range(players.count)]
            errors.append(relative_error(np.array(values), reference))
        print(
            f"shapiq {sampler.__name__:22s} {coalitions * len(rows):8,} evaluations  "
            f"error {np.mean(errors):.2%}"
        )


if __name__ == "__main__":
    main()
