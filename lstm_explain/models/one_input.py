"""``with_one_input``: a model that reads several sequences, images or raw text as one sequence."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from ..arguments import check_model, described
from ..backend import keras, ops
from ..sequences.inputs import ModelInput, as_called, model_inputs
from ..sequences.padding import as_array
from ..sequences.words import check_text, vocabulary_digest
from .keeping import kept_with


def with_one_input(model: Any) -> Any:
    """Return the model with one sequence input, as `explain` sees it.

    Several sequences, and the cells of images or films, become features side by side. Of a model
    that begins with ``TextVectorization``, what follows it is returned, which reads token ids. The
    layers are the model's own. `explain`, `shapley_values`, `lime_values`, `attention_maps` and
    `predict` do this by themselves; the model is for what takes an explanation and its model.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        The model itself, where it has one sequence input already.

    Raises
    ------
    ValueError
        A size of an image is not known, or a text is vectorized as something else than ids.

    Examples
    --------
    >>> price, news = keras.Input((20, 5), name="price"), keras.Input((20, 3), name="news")
    >>> both = keras.layers.Concatenate()([keras.layers.LSTM(4)(x) for x in (price, news)])
    >>> model = keras.Model([price, news], keras.layers.Dense(1)(both))
    >>> with_one_input(model).input_shape
    (None, 20, 8)
    """
    check_model(model, built=False)
    if (vectorizer := _vectorizer(model)) is not None:
        return kept_with(model, "one input", lambda: _behind(vectorizer, model))
    shapes = [each.shape for each in model_inputs(model)]
    if sum(len(shape) > 2 for shape in shapes) < 2 and all(len(shape) < 4 for shape in shapes):
        return model
    return kept_with(model, "one input", lambda: _side_by_side(model))


def values_by_input(model: Any, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return values of features side by side as values of each input, in its own shape.

    Parameters
    ----------
    model : keras.Model
        With several sequence inputs, or inputs of images.
    values : array (sample, time, feature)
        Such as ``explanation.values`` of this model.

    Returns
    -------
    dict of array (sample, time, ...)
        By the name of the input.

    Raises
    ------
    ValueError
        The values are not those of the model's inputs.

    Examples
    --------
    >>> image = keras.Input((5, 2, 2), name="image")
    >>> model = keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(image)))
    >>> values_by_input(model, np.zeros((3, 5, 4)))["image"].shape
    (3, 5, 2, 2)
    """
    sequences = [each for each in model_inputs(model) if len(each.shape) > 2]
    widths = [prod(_cell_shape(each)) for each in sequences]
    if values.ndim != 3 or values.shape[2] != sum(widths):
        raise ValueError(
            f"Expected values of shape (sample, time, {sum(widths)}), of the inputs of "
            f"{model.name!r}; received {values.shape}. Give those of its own explanation."
        )
    parts = np.split(values, list(accumulate(widths))[:-1], axis=2)
    return {
        each.name: part[:, : each.shape[1]].reshape(len(part), -1, *_cell_shape(each))
        for each, part in zip(sequences, parts, strict=True)
    }


def joined_names(model: Any) -> tuple[str, ...] | None:
    """Return the names of features side by side; None where the model joins no inputs."""
    joined: list[ModelInput] | None = getattr(model, "joined_inputs", None)
    if joined is None:
        return None
    return tuple(
        f"{each.name} {', '.join(map(str, cell))}"
        for each in joined
        if len(each.shape) > 2
        for cell in np.ndindex(*_cell_shape(each))
    )


def joined_arrays(model: Any, parts: list[Any], what: str) -> list[Any]:
    """Join the arrays of a model's inputs as `with_one_input` joins the inputs."""
    names = [each.name for each in model.joined_inputs]
    if len(parts) != len(names):
        raise ValueError(
            f"Expected {what} with one array for each input of the model, {names}; received "
            f"{described(parts[0])}. Give a list of arrays in this order, or a dict by name."
        )
    sequences, others = [], []
    for each, part in zip(model.joined_inputs, parts, strict=True):
        if len(each.shape) < 3:
            others.append(part)
            continue
        array = as_array(part, what)
        fits = array.ndim == len(each.shape) and all(
            size in (None, length)
            for size, length in zip(each.shape[1:], array.shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"Expected {what} of shape {each.shape} for the input {each.name!r}; received "
                f"{array.shape}. Give one array for each input, padded to its number of steps."
            )
        sequences.append(array.reshape(*array.shape[:2], -1))
    counts, steps = ([len(each) for each in sequences], [each.shape[1] for each in sequences])
    known = all(each.shape[1] is not None for each in model.joined_inputs if len(each.shape) > 2)
    if len(set(counts)) > 1 or (len(set(steps)) > 1 and not known):
        raise ValueError(
            f"Expected sequences of the same samples, and of one number of steps where the model "
            f"does not fix it; received {counts} samples of {steps} steps. Pad the shorter ones."
        )
    # The model reads no step beyond the end of a shorter input.
    ends = [((0, 0), (0, max(steps) - length), (0, 0)) for length in steps]
    padded = [np.pad(each, end) for each, end in zip(sequences, ends, strict=True)]
    return [np.concatenate(padded, axis=2), *others]


def vocabulary_of(model: Any) -> tuple[str, ...]:
    """Return the words that the vectorizing layer before this model knows; none without one."""
    vectorizer = getattr(model, "text_vectorizer", None)
    return () if vectorizer is None else tuple(vectorizer.get_vocabulary())


def token_ids(model: Any, texts: Any, what: str) -> np.ndarray:
    """Return what the vectorizing layer before this model makes of texts, as ids."""
    array = as_array(ops.convert_to_numpy(texts) if ops.is_tensor(texts) else texts, what)
    strings = [each.decode() if isinstance(each, bytes) else each for each in array.ravel()]
    for position, string in enumerate(strings):
        check_text(string, f" in sample {position}")
    return ops.convert_to_numpy(model.text_vectorizer(np.array(strings)))


def _cell_shape(one: ModelInput) -> tuple[int, ...]:
    """Return the shape of one step of an input."""
    sizes = tuple(size for size in one.shape[2:] if size is not None)
    if len(sizes) < len(one.shape) - 2:
        raise ValueError(
            "Expected inputs of known sizes but for the numbers of samples and of steps; received "
            f"{one.name!r} of shape {one.shape}. Build the model with keras.Input of a known shape."
        )
    return sizes


def _side_by_side(model: Any) -> Any:
    tensors = model_inputs(model)
    cubes = [each for each in tensors if len(each.shape) > 2]
    steps = [each.shape[1] or 0 for each in cubes]
    ends = list(accumulate((prod(_cell_shape(each)) for each in cubes), initial=0))
    name = "_and_".join(each.name for each in cubes)
    one = keras.Input((max(steps) if all(steps) else None, ends[-1]), name=name)
    cuts = {
        each.name: keras.layers.Reshape((each.shape[1] or -1, *_cell_shape(each)))(
            one[:, : each.shape[1], start:end]
        )
        for each, (start, end) in zip(cubes, pairwise(ends), strict=True)
    }
    others = {
        each.name: keras.Input(each.shape[1:], dtype=each.dtype or "float32", name=each.name)
        for each in tensors
        if len(each.shape) < 3
    }
    parts = {**cuts, **others}
    outputs = model(as_called(model, [parts[each.name] for each in tensors]))
    made = keras.Model([one, *others.values()] if others else one, outputs, name=model.name)
    made.joined_inputs = tensors
    return _like(model, made)


def _vectorizer(model: Any) -> Any:
    """Return the layer that makes ids of a model's text input, or None."""
    if not any(each.dtype == "string" for each in model_inputs(model)):
        return None
    layers = [each for each in model.layers if isinstance(each, keras.layers.TextVectorization)]
    if len(layers) == 1 and getattr(layers[0], "_output_mode", "int") == "int":
        return layers[0]
    raise ValueError(
        f"Expected a model that reads text through one TextVectorization layer with "
        f'output_mode="int"; received {model.name!r} with {len(layers)} of them. Explain the part '
        "of the model behind it: keras.Model(ids, model.output)."
    )


def _behind(vectorizer: Any, model: Any) -> Any:
    """Return the part of a model behind its vectorizing layer, which reads token ids."""
    others = [
        each for each in model.inputs if keras.backend.standardize_dtype(each.dtype) != "string"
    ]
    made = keras.Model([vectorizer.output, *others], model.outputs[0], name=model.name)
    made.text_vectorizer = vectorizer
    made.vocabulary_digest = vocabulary_digest(vectorizer.get_vocabulary())
    return _like(model, made)


def _like(model: Any, made: Any) -> Any:
    """Give a model what another says of its output: by the loss it may be logits."""
    if getattr(model, "loss", None) is not None:
        made.compile(loss=model.loss)
    for name in ("explained_head", "explained_function"):
        if hasattr(model, name):
            setattr(made, name, getattr(model, name))
    return made
