"""What ``model.predict`` takes, read as `SequenceData`: arrays, lists, dicts, tensors, batches."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import check_model, described
from ..backend import keras, ops
from ..sequences.data import SequenceData
from ..sequences.inputs import Role, arrange, find_roles, input_names, model_inputs
from ..sequences.padding import as_array
from .buckets import predict_by_length
from .one_input import joined_arrays, joined_names, token_ids, vocabulary_of, with_one_input


def predict(model: Any, data: Any, *, batch_size: int = 256) -> np.ndarray:
    """Predict like ``model.predict``, from `SequenceData` or any form that `explain` takes.

    Parameters
    ----------
    model : keras.Model
    data : SequenceData, array, list, dict, tensor or batches
        See `as_sequences`.
    batch_size : int
        Samples per batch; less needs less memory.

    Returns
    -------
    array (sample, output) or (sample, step, output)

    Raises
    ------
    ValueError, TypeError
        The data do not fit the model.

    Examples
    --------
    >>> probabilities = lx.predict(run.model, data.test)  # doctest: +SKIP
    """
    model = with_one_input(model)
    return predict_by_length(model, as_sequences(data, model), batch_size)


def as_sequences(
    data: Any, model: Any, inputs: Mapping[Role, str] | None = None, what: str = "data"
) -> SequenceData:
    """Read samples in any form that the model's own ``predict`` takes; `SequenceData` stays.

    Parameters
    ----------
    data : array (sample, time, feature), or token ids (sample, time)
        A list of arrays for samples of different lengths, or a ragged tensor; texts for a model
        with ``TextVectorization``, arrays of any rank for a model of images or films. For several
        inputs a list of arrays in the model's order, or a dict by input name. A
        ``tf.data.Dataset``, a ``keras.utils.PyDataset`` or a PyTorch ``DataLoader`` of such
        batches, whose targets are left out. Token ids may be whole numbers of any type.
    model : keras.Model
    inputs : mapping of role to input name, optional
        Where the roles of several inputs cannot be told apart.
    what : str
        Word for the samples in messages.

    Raises
    ------
    ValueError, TypeError
        What was received is none of these, is empty, or does not fit the model's inputs.

    Examples
    --------
    >>> as_sequences({"series": x, "facts": facts}, model)  # doctest: +SKIP
    """
    if isinstance(data, SequenceData):
        sequences = data
    else:
        check_model(model)
        if (batches := _batches(data, what)) is not None:
            data = batches
        by_role = _by_role(data, model, inputs, what)
        sequences = replace(_from_arrays(model, what, **by_role), scale_known=False)
        if names := joined_names(model):
            sequences = replace(sequences, feature_names=names)
        if words := vocabulary_of(model):
            sequences = replace(sequences, vocabulary=words)
    if len(sequences) == 0:
        raise ValueError(f"Expected at least one sample in {what}; received none. Check the slice.")
    reads_doubles = any(each.dtype == "float64" for each in model_inputs(model))
    if reads_doubles and sequences.tokens is None:
        _check_precision(model, sequences, inputs)
    return sequences


def _check_precision(model: Any, data: SequenceData, inputs: Mapping[Role, str] | None) -> None:
    """Raise where the rounding of numbers to float32, which data have, moves a model's output."""
    few = data[:64]
    roles = few.roles_in(model, inputs)
    before, after = (
        ops.convert_to_numpy(model(arrange(model, roles, values, few.static, few.mask)))
        for values in (few.values, np.nextafter(few.values, np.float32(np.inf)))
    )
    moved, size = np.abs(after - before).max(), before.std(axis=0).max() or np.abs(before).max()
    if moved > 1e-3 * size:
        raise ValueError(
            f"Expected numbers that float32 tells apart; rounded to it, they move the output of "
            f"{model.name!r} by up to {moved:.2g}. Take out what is large and alike, such as the "
            "first time stamp, before the model, and explain one that reads the rest."
        )


def _batches(data: Any, what: str) -> Any:
    """Return the inputs of all batches, joined; None where the data are no batches."""
    torch: Any = sys.modules.get("torch")
    if hasattr(data, "element_spec"):
        endless, batches = int(data.cardinality()) == -1, iter(data)
    elif isinstance(data, keras.utils.PyDataset):
        endless = data.num_batches is None
        batches = iter([] if endless else [data[i] for i in range(data.num_batches)])
    elif torch is not None and isinstance(data, torch.utils.data.DataLoader):
        endless, batches = False, iter(data)
    else:
        return None
    if endless:
        raise ValueError(
            f"Expected {what} in a number of batches that ends; received an endless "
            f"{type(data).__name__}. Take some of them: dataset.take(10)."
        )
    # Of what a batch holds, as for `fit`: (inputs,), (inputs, targets) or with sample weights.
    inputs = [each[0] if isinstance(each, tuple | list) else each for each in batches]
    inputs = [keras.tree.map_structure(_as_numpy, each) for each in inputs]
    if not inputs:
        raise ValueError(f"Expected at least one sample of {what}; received no batch.")
    shapes = {
        tuple(array.shape[1:] for array in keras.tree.flatten(batch) if hasattr(array, "shape"))
        for batch in inputs
    }
    if len(shapes) > 1:
        raise ValueError(
            f"Expected batches of {what} of one length; received {sorted(shapes)}. Pad all batches "
            "to one length, or pass a list of arrays."
        )
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *inputs)


def _as_numpy(array: Any) -> Any:
    return ops.convert_to_numpy(array) if ops.is_tensor(array) else array


def _by_role(
    data: Any, model: Any, inputs: Mapping[Role, str] | None, what: str
) -> dict[Role, Any]:
    """Tell which part of the data is the sequence, the static facts and the mask."""
    joined = getattr(model, "joined_inputs", None)
    names = [each.name for each in joined] if joined else input_names(model)
    parts = _parts(data, names, what)
    reads_text = hasattr(model, "text_vectorizer")
    if parts is None and not (joined or reads_text):
        return {"sequence": data}
    parts = [data] if parts is None else parts
    if joined:
        parts = joined_arrays(model, parts, what)
    elif reads_text:
        parts = [token_ids(model, parts[0], what), *parts[1:]]
    roles: tuple[Role, ...] = ("sequence",)
    if len(parts) > 1:
        roles = find_roles(model, tokens=reads_tokens(model), named=inputs)
    by_role = dict(zip(roles, parts, strict=True))
    return {"mask": by_role["sequence"] != 0, **by_role} if reads_text else by_role


def _parts(data: Any, names: list[str], what: str) -> list[Any] | None:
    """Return the array of each input; None where the data are the only input's own."""
    is_list = isinstance(data, list | tuple)
    if isinstance(data, Mapping):
        if set(data) != set(names):
            raise ValueError(
                f"Expected {what} with one array for each input of the model, {names}; received "
                f"{list(data)}. Name them as the model does."
            )
        return [data[name] for name in names]
    if is_list and len(names) > 1 and len(data) == len(names):
        return list(data)
    if is_list and len(data) == 1 and len(names) == 1 and np.ndim(data[0]) >= 3:
        return list(data)  # as Keras and shap take one input
    return None


def reads_tokens(model: Any) -> bool:
    """Whether the model's sequence are token ids: it embeds, and no input has features."""
    tensors = model_inputs(model)
    embeds = any(isinstance(each, keras.layers.Embedding) for each in model._flatten_layers())
    return embeds and all(len(tensor.shape) < 3 for tensor in tensors)


def _from_arrays(
    model: Any, what: str, sequence: Any = None, static: Any = None, mask: Any = None
) -> SequenceData:
    if hasattr(sequence, "row_splits"):  # a ragged tensor
        sequence = list(sequence)
    if isinstance(sequence, list | tuple):
        sequence = [_as_numpy(one) for one in sequence]
        ranks = {np.ndim(one) for one in sequence}
        if ranks <= {1, 2} and len({len(one) for one in sequence}) > 1:
            make = SequenceData.from_tokens if ranks == {1} else SequenceData.from_arrays
            rows = [_as_ids(one) for one in sequence] if ranks == {1} else sequence
            return make(rows, static=_as_numpy(static), mask=mask)
    array = as_array(_as_numpy(sequence), what)
    static, mask = _as_numpy(static), _as_numpy(mask)
    read = [len(each.shape) for each in model_inputs(model)]
    if array.ndim == 2 and 3 not in read and (array.dtype.kind in "iu" or reads_tokens(model)):
        return SequenceData.from_tokens(_as_ids(array), static=static, mask=mask)
    if array.dtype == object or array.ndim != 3:
        remedy = "Make one with SequenceData.from_arrays(values)."
        if array.ndim == 2 and array.dtype != object:
            remedy = f"Of one feature, give {what}[..., None]; of one sample, {what}[None]."
            if read == [2]:  # the model itself makes a feature of its numbers
                remedy = (
                    f"Begin the model with the feature: `one = keras.Input(({array.shape[1]}, 1)); "
                    f"begun = keras.Model(one, model(one[..., 0]))`, and give {what}[..., None]."
                )
        raise TypeError(
            f"Expected {what} as SequenceData or an array (sample, time, feature); received "
            f"{described(sequence)} of shape {array.shape}. {remedy}"
        )
    return SequenceData.from_arrays(array, static=static, mask=mask)


def _as_ids(tokens: Any) -> Any:
    """Return whole numbers of another type, such as those of a CSV file, as integers."""
    array = np.asarray(tokens)
    whole = array.dtype.kind == "f" and np.isfinite(array).all() and (array % 1 == 0).all()
    return array.astype(np.int64) if whole else array
