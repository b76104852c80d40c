"""Explain what an LSTM predicted: attention maps and SHAP values for Keras sequence models.

>>> import lstm_explain as lx
>>> data = lx.load_market()                                     # doctest: +SKIP
>>> run = lx.train(lx.build_model(data), data)                  # doctest: +SKIP
>>> explanation = lx.explain(run.model, data.test[:16], background=data.train)  # doctest: +SKIP
>>> lx.plot_heatmap(explanation[0])                             # doctest: +SKIP

The names of the main path stand here, the others in the folder that `dir` lists beside them.
"""

import warnings

import lazy_loader

__version__ = "0.1.0"

# Names are listed in __init__.pyi and imported when first used, so that importing this package
# loads neither Keras nor its backend, shap or matplotlib.
_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Names that stood here before 0.1.0 and work for one more release, by the folder that has them now.
_MOVED = {
    "attribution": "ToleranceWarning drivers_by_group explain_in_pieces",
    "datasets": "UnverifiedDataWarning deciding_words icu_reference_ranges load_recall "
    "load_sentences load_truth planted_truth review_rationales",
    "faithfulness": "score_cells",
    "inspection": "Anatomy DeepExplainerWarning PaddingWarning smallest_change",
    "internals": "answers_by_step gradient_norms",
    "models": "AttentionPooling LengthBuckets WordVectors calibration_error learn_word_vectors "
    "load_word_vectors predict_by_length reliability score_by_group score_difference "
    "score_with_interval",
    "sequences": "load_vocabulary make_vocabulary save_vocabulary tokenise",
}


def __getattr__(name: str) -> object:
    for folder, names in _MOVED.items():
        if name in names.split():
            message = f"lstm_explain.{name} moved to lstm_explain.{folder}.{name}; use it there."
            warnings.warn(message, FutureWarning, stacklevel=2)
            return getattr(_public(folder), name)
    return _public(name)
