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
    from .anatomy import Anatomy as Anatomy
    from .anatomy import inspect as inspect
    from .assessment import calibration_error as calibration_error
    from .assessment import reliability as reliability
    from .assessment import score_difference as score_difference
    from .assessment import score_with_interval as score_with_interval
    from .attention import attention_maps as attention_maps
    from .backend import find_device as find_device
    from .background import Background as Background
    from .buckets import LengthBuckets as LengthBuckets
    from .buckets import predict_by_length as predict_by_length
    from .coalitions import interactions as interactions
    from .coalitions import shapley_values as shapley_values
    from .comparison import compare as compare
    from .cooccurrence import learn_word_vectors as learn_word_vectors
    from .counterfactual import smallest_change as smallest_change
    from .datasets.icu import load_icu as load_icu
    from .datasets.icu_variables import icu_reference_ranges as icu_reference_ranges
    from .datasets.market import load_market as load_market
    from .datasets.recall import load_recall as load_recall
    from .datasets.reviews import load_reviews as load_reviews
    from .datasets.reviews import review_rationales as review_rationales
    from .datasets.sentences import deciding_words as deciding_words
    from .datasets.sentences import load_sentences as load_sentences
    from .datasets.store import UnverifiedDataWarning as UnverifiedDataWarning
    from .datasets.truth import load_truth as load_truth
    from .datasets.truth import planted_truth as planted_truth
    from .drivers import drivers_by_group as drivers_by_group
    from .drivers import score_cells as score_cells
    from .engine import explain as explain
    from .explanation import Explanation as Explanation
    from .faithfulness import FaithfulnessReport as FaithfulnessReport
    from .faithfulness import check_faithfulness as check_faithfulness
    from .figure_html import tokens_html as tokens_html
    from .gate_player import play_gates as play_gates
    from .gates import trace_gates as trace_gates
    from .gradients import DeepExplainerWarning as DeepExplainerWarning
    from .integration import ToleranceWarning as ToleranceWarning
    from .layers import AttentionPooling as AttentionPooling
    from .models import build_model as build_model
    from .models import load_model as load_model
    from .pieces import explain_in_pieces as explain_in_pieces
    from .plots import plot_chart as plot_chart
    from .plots import plot_comparison as plot_comparison
    from .plots import plot_gates as plot_gates
    from .plots import plot_heatmap as plot_heatmap
    from .plots import plot_history as plot_history
    from .plots import plot_reliability as plot_reliability
    from .plots import plot_summary as plot_summary
    from .plots import plot_timeline as plot_timeline
    from .plots import plot_tokens as plot_tokens
    from .prediction import PaddingWarning as PaddingWarning
    from .prefix_answers import answers_by_step as answers_by_step
    from .ranking import score_saliency as score_saliency
    from .sequences import SequenceData as SequenceData
    from .subgroups import score_by_group as score_by_group
    from .training import TrainingRun as TrainingRun
    from .training import train as train
    from .vanishing import gradient_norms as gradient_norms
    from .widgets import explore as explore
    from .word_vector_file import load_word_vectors as load_word_vectors
    from .word_vectors import WordVectors as WordVectors
    from .words import load_vocabulary as load_vocabulary
    from .words import make_vocabulary as make_vocabulary
    from .words import save_vocabulary as save_vocabulary
    from .words import tokenise as tokenise

__version__ = "0.1.0"

# Where each public name lives. Names are imported when first used, so that importing this package
# loads neither Keras nor its backend, shap or matplotlib.
_HOME = {
    "Anatomy": "anatomy",
    "AttentionPooling": "layers",
    "Background": "background",
    "DeepExplainerWarning": "gradients",
    "Explanation": "explanation",
    "FaithfulnessReport": "faithfulness",
    "LengthBuckets": "buckets",
    "PaddingWarning": "prediction",
    "SequenceData": "sequences",
    "ToleranceWarning": "integration",
    "TrainingRun": "training",
    "UnverifiedDataWarning": "datasets.store",
    "WordVectors": "word_vectors",
    "answers_by_step": "prefix_answers",
    "attention_maps": "attention",
    "build_model": "models",
    "calibration_error": "assessment",
    "check_faithfulness": "faithfulness",
    "compare": "comparison",
    "deciding_words": "datasets.sentences",
    "drivers_by_group": "drivers",
    "explain": "engine",
    "explain_in_pieces": "pieces",
    "explore": "widgets",
    "find_device": "backend",
    "gradient_norms": "vanishing",
    "icu_reference_ranges": "datasets.icu_variables",
    "inspect": "anatomy",
    "interactions": "coalitions",
    "learn_word_vectors": "cooccurrence",
    "load_icu": "datasets.icu",
    "load_market": "datasets.market",
    "load_model": "models",
    "load_recall": "datasets.recall",
    "load_reviews": "datasets.reviews",
    "load_sentences": "datasets.sentences",
    "load_truth": "datasets.truth",
    "load_vocabulary": "words",
    "load_word_vectors": "word_vector_file",
    "make_vocabulary": "words",
    "planted_truth": "datasets.truth",
    "play_gates": "gate_player",
    "plot_chart": "plots",
    "plot_comparison": "plots",
    "plot_gates": "plots",
    "plot_heatmap": "plots",
    "plot_history": "plots",
    "plot_reliability": "plots",
    "plot_summary": "plots",
    "plot_timeline": "plots",
    "plot_tokens": "plots",
    "predict_by_length": "buckets",
    "reliability": "assessment",
    "review_rationales": "datasets.reviews",
    "save_vocabulary": "words",
    "score_by_group": "subgroups",
    "score_cells": "drivers",
    "score_difference": "assessment",
    "score_saliency": "ranking",
    "score_with_interval": "assessment",
    "shapley_values": "coalitions",
    "smallest_change": "counterfactual",
    "tokenise": "words",
    "tokens_html": "figure_html",
    "trace_gates": "gates",
    "train": "training",
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
