"""Explain what an LSTM predicted: attention maps and SHAP values for Keras sequence models.

>>> import lstm_explain as lx
>>> data = lx.load_market()                                     # doctest: +SKIP
>>> run = lx.train(lx.build_model(data), data)                  # doctest: +SKIP
>>> explanation = lx.explain(run.model, data.test[:16], background=data.train)  # doctest: +SKIP
>>> lx.plot_heatmap(explanation[0])                             # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attribution.cohorts import drivers_by_group as drivers_by_group
    from .attribution.cohorts import score_cells as score_cells
    from .attribution.comparison import compare as compare
    from .attribution.expected_gradients import explain as explain
    from .attribution.explanation import Explanation as Explanation
    from .attribution.integration import ToleranceWarning as ToleranceWarning
    from .attribution.pieces import explain_in_pieces as explain_in_pieces
    from .attribution.shapley import interactions as interactions
    from .attribution.shapley import shapley_values as shapley_values
    from .backend import find_device as find_device
    from .datasets.icu.loader import load_icu as load_icu
    from .datasets.icu.variables import icu_reference_ranges as icu_reference_ranges
    from .datasets.market.loader import load_market as load_market
    from .datasets.recall import load_recall as load_recall
    from .datasets.reviews.loader import load_reviews as load_reviews
    from .datasets.reviews.loader import review_rationales as review_rationales
    from .datasets.sentences import deciding_words as deciding_words
    from .datasets.sentences import load_sentences as load_sentences
    from .datasets.store import UnverifiedDataWarning as UnverifiedDataWarning
    from .datasets.truth import load_truth as load_truth
    from .datasets.truth import planted_truth as planted_truth
    from .faithfulness.report import FaithfulnessReport as FaithfulnessReport
    from .faithfulness.report import check_faithfulness as check_faithfulness
    from .faithfulness.truth import score_saliency as score_saliency
    from .inspection.anatomy import Anatomy as Anatomy
    from .inspection.anatomy import inspect as inspect
    from .inspection.background import Background as Background
    from .inspection.counterfactual import smallest_change as smallest_change
    from .inspection.gradients import DeepExplainerWarning as DeepExplainerWarning
    from .inspection.question import PaddingWarning as PaddingWarning
    from .internals.attention import attention_maps as attention_maps
    from .internals.gates import trace_gates as trace_gates
    from .internals.prefix_answers import answers_by_step as answers_by_step
    from .internals.responses import gradient_norms as gradient_norms
    from .models.architecture import build_model as build_model
    from .models.architecture import load_model as load_model
    from .models.assessment import calibration_error as calibration_error
    from .models.assessment import reliability as reliability
    from .models.assessment import score_difference as score_difference
    from .models.assessment import score_with_interval as score_with_interval
    from .models.buckets import LengthBuckets as LengthBuckets
    from .models.buckets import predict_by_length as predict_by_length
    from .models.cooccurrence import learn_word_vectors as learn_word_vectors
    from .models.layers import AttentionPooling as AttentionPooling
    from .models.subgroups import score_by_group as score_by_group
    from .models.training import TrainingRun as TrainingRun
    from .models.training import train as train
    from .models.word_vector_file import load_word_vectors as load_word_vectors
    from .models.word_vectors import WordVectors as WordVectors
    from .plots.html import tokens_html as tokens_html
    from .plots.timeline import plot_chart as plot_chart
    from .plots.timeline import plot_comparison as plot_comparison
    from .plots.timeline import plot_gates as plot_gates
    from .plots.timeline import plot_heatmap as plot_heatmap
    from .plots.timeline import plot_history as plot_history
    from .plots.timeline import plot_reliability as plot_reliability
    from .plots.timeline import plot_summary as plot_summary
    from .plots.timeline import plot_timeline as plot_timeline
    from .plots.timeline import plot_tokens as plot_tokens
    from .sequences.data import SequenceData as SequenceData
    from .sequences.words import load_vocabulary as load_vocabulary
    from .sequences.words import make_vocabulary as make_vocabulary
    from .sequences.words import save_vocabulary as save_vocabulary
    from .sequences.words import tokenise as tokenise
    from .widgets.gate_player import play_gates as play_gates
    from .widgets.widgets import explore as explore

__version__ = "0.1.0"

# Where each public name lives. Names are imported when first used, so that importing this package
# loads neither Keras nor its backend, shap or matplotlib.
_HOME = {
    "Anatomy": "inspection.anatomy",
    "AttentionPooling": "models.layers",
    "Background": "inspection.background",
    "DeepExplainerWarning": "inspection.gradients",
    "Explanation": "attribution.explanation",
    "FaithfulnessReport": "faithfulness.report",
    "LengthBuckets": "models.buckets",
    "PaddingWarning": "inspection.question",
    "SequenceData": "sequences.data",
    "ToleranceWarning": "attribution.integration",
    "TrainingRun": "models.training",
    "UnverifiedDataWarning": "datasets.store",
    "WordVectors": "models.word_vectors",
    "answers_by_step": "internals.prefix_answers",
    "attention_maps": "internals.attention",
    "build_model": "models.architecture",
    "calibration_error": "models.assessment",
    "check_faithfulness": "faithfulness.report",
    "compare": "attribution.comparison",
    "deciding_words": "datasets.sentences",
    "drivers_by_group": "attribution.cohorts",
    "explain": "attribution.expected_gradients",
    "explain_in_pieces": "attribution.pieces",
    "explore": "widgets.widgets",
    "find_device": "backend",
    "gradient_norms": "internals.responses",
    "icu_reference_ranges": "datasets.icu.variables",
    "inspect": "inspection.anatomy",
    "interactions": "attribution.shapley",
    "learn_word_vectors": "models.cooccurrence",
    "load_icu": "datasets.icu.loader",
    "load_market": "datasets.market.loader",
    "load_model": "models.architecture",
    "load_recall": "datasets.recall",
    "load_reviews": "datasets.reviews.loader",
    "load_sentences": "datasets.sentences",
    "load_truth": "datasets.truth",
    "load_vocabulary": "sequences.words",
    "load_word_vectors": "models.word_vector_file",
    "make_vocabulary": "sequences.words",
    "planted_truth": "datasets.truth",
    "play_gates": "widgets.gate_player",
    "plot_chart": "plots.timeline",
    "plot_comparison": "plots.timeline",
    "plot_gates": "plots.timeline",
    "plot_heatmap": "plots.timeline",
    "plot_history": "plots.timeline",
    "plot_reliability": "plots.timeline",
    "plot_summary": "plots.timeline",
    "plot_timeline": "plots.timeline",
    "plot_tokens": "plots.timeline",
    "predict_by_length": "models.buckets",
    "reliability": "models.assessment",
    "review_rationales": "datasets.reviews.loader",
    "save_vocabulary": "sequences.words",
    "score_by_group": "models.subgroups",
    "score_cells": "attribution.cohorts",
    "score_difference": "models.assessment",
    "score_saliency": "faithfulness.truth",
    "score_with_interval": "models.assessment",
    "shapley_values": "attribution.shapley",
    "smallest_change": "inspection.counterfactual",
    "tokenise": "sequences.words",
    "tokens_html": "plots.html",
    "trace_gates": "internals.gates",
    "train": "models.training",
}

__all__ = sorted(_HOME)  # noqa: PLE0605  (a computed list, tested)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lstm_explain' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
