"""The explained function is the model: it is held against the model's own outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..backend import keras, ops
from ..models.keeping import forget, keep, kept_with
from ..sequences.data import SequenceData
from .anatomy import Anatomy, draws, walk
from .compiled import Compiled, Subject, compile_model
from .interventions import run
from .observation import (
    Observation,
    agree,
    differences,
    inputs_of,
    observe,
    steps_read,
    with_calls,
)
from .outputs import linked


def see(
    anatomy: Anatomy, data: SequenceData, scale: str, batch_size: int
) -> tuple[Anatomy, Compiled, Subject]:
    """Compile the model and run it on the samples: masks, embedded tokens, margin.

    Returns
    -------
    anatomy : Anatomy
        With what running the model told of its calls and its link.
    compiled : Compiled
    subject : Subject
    """
    inputs = inputs_of(anatomy, data)
    if anatomy.is_confirmed:  # by an earlier call, of which this one is a variation
        compiled = compile_model(anatomy, scale)
        return anatomy, compiled, subject_of(anatomy, inputs, compiled.observe(inputs, batch_size))
    observation = observe_now(anatomy, inputs, batch_size)
    anatomy = with_calls(anatomy, inputs, observation, observe_now)
    subject = subject_of(anatomy, inputs, observation)
    few = slice(0, 64)
    anatomy, compiled, _ = confirm(
        anatomy, scale, subject[few], observation.output[few], batch_size
    )
    return anatomy, compiled, subject


def observe_now(
    anatomy: Anatomy, inputs: Sequence[np.ndarray], batch_size: int = 512
) -> Observation:
    """Run a model as it is: layer by layer where it changed since it was compiled, which is slow.

    A change of the weights is no such change: compiled functions read them at every call.
    """
    state = _state_of(anatomy.model)
    before = kept_with(anatomy.model, "state", list)
    if len(before) == len(state) and all(map(_is_same, before, state)):
        return compile_model(anatomy, "margin").observe(inputs, batch_size)
    forget(anatomy.model)
    return observe(anatomy, inputs, batch_size)


def _state_of(model: Any) -> list[Any]:
    """Return all that the layers of a model hold beside Keras's own bookkeeping, object by object.

    A statistic that is adapted, an activation that is replaced and any other attribute that is set
    are other objects then. Of lists, dicts, arrays, plain objects and closures, which may be
    changed in place, it is what they hold.
    """
    return [
        leaf
        for layer in (model, *walk(model))
        for name, value in vars(layer).items()
        if name not in _bookkeeping()
        for leaf in _leaves(value)
    ]


def _leaves(value: Any, depth: int = 4) -> Iterator[Any]:
    """Yield what stands in a value, down to things that are not changed in place."""
    yield value
    inside: Iterable[Any] = ()
    if isinstance(value, np.ndarray):
        inside = (value.tobytes(),)
    elif isinstance(value, Mapping):
        inside = (*value.keys(), *value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        inside = value
    elif isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
        inside = (value.__defaults__, *cells)
    elif type(value).__module__.split(".")[0] not in _OF_BACKENDS and hasattr(value, "__dict__"):
        inside = vars(value).values()
    followed = isinstance(value, keras.layers.Layer | type | ModuleType)
    for each in inside if depth and not followed else ():
        yield from _leaves(each, depth - 1)


# Modules whose objects Keras follows itself: layers, variables, tensors.
_OF_BACKENDS = ("keras", "tensorflow", "jax", "jaxlib", "torch", "builtins")


def _is_same(before: Any, now: Any) -> bool:
    is_plain = isinstance(now, bytes | str | int | float) and type(before) is type(now)
    return before is now or bool(is_plain and before == now)


@cache
def _bookkeeping() -> frozenset[str]:
    """Return the names of what Keras, and this package, keep on every model."""
    # Named, or Keras would count them and give the next layers of the user other names.
    bare = keras.layers.Layer(name="bare_layer"), keras.Model(name="bare_model")
    return frozenset({"_lstm_explain_compiled"}.union(*map(vars, bare)))


def confirm(
    anatomy: Anatomy, scale: str, subject: Subject, expected: np.ndarray, batch_size: int
) -> tuple[Anatomy, Compiled, np.ndarray]:
    """Compile a model and hold the function that is explained against the model's own outputs.

    Returns
    -------
    anatomy : Anatomy
        Without its link where the activation inside the model is not what makes its output.
    compiled : Compiled
    raw : array (sample, output) or (sample, step, output)
        Margins or values.

    Raises
    ------
    ValueError
        The two differ by more than rounding: masks, embeddings, or outputs that are drawn.
    """
    bare = replace(anatomy, link="identity", margin_operation=None)
    error = np.inf
    # What an earlier call confirmed comes first. Compiled anew, a function that was left behind has
    # the model's present state.
    key = "confirmed", anatomy
    likely = kept_with(anatomy.model, key, lambda: anatomy)
    for version, anew in ((likely, False), (anatomy, True), (bare, True)):
        compiled = compile_model(version, scale, anew=anew)
        try:
            raw = compiled.outputs(subject, batch_size)
        except AttributeError as missing:
            raise ValueError(
                f"Expected a model that Keras can compile; {anatomy.model.name!r} cannot be: "
                f"{missing}. Let its layers compute with keras.ops in place of NumPy."
            ) from missing
        given = linked(raw, version.link)
        if agree(version, given, expected) or _is_rounding(
            compiled, subject, batch_size, given, expected
        ):
            alone = partial(_check_alone, compiled, subject, given)
            kept_with(anatomy.model, ("alone", version), alone)
            keep(anatomy.model, key, version)
            keep(anatomy.model, "state", _state_of(anatomy.model))
            return replace(version, is_confirmed=True), compiled, raw
        if given.size == expected.size:
            error = min(error, float(differences(given, expected).max()))
    raise ValueError(
        f"Expected to explain what {anatomy.model.name!r} computes; with its masks held and its "
        f"embeddings replaced, its outputs differ by up to {error:.2g}. {_cause(anatomy, subject)}"
    )


def _is_rounding(
    compiled: Compiled, subject: Subject, batch_size: int, given: np.ndarray, expected: np.ndarray
) -> bool:
    """Whether outputs differ by no more than what the last bit of the inputs does to them.

    A model that takes the difference of large numbers loses more digits than its output shows.
    """
    if given.size != expected.size:
        return False
    nudged = np.nextafter(subject.values, np.float32(np.inf))
    again = compiled.outputs(subject.with_values(nudged, subject.static), batch_size)
    last_bit = differences(linked(again, compiled.anatomy.link), given)
    spread = expected.reshape(-1, expected.shape[-1]).std(axis=0)
    return bool((differences(given, expected) <= np.minimum(8 * last_bit, 1e-3 * spread)).all())


def _check_alone(compiled: Compiled, subject: Subject, given: np.ndarray) -> bool:
    """Raise if a sample's output depends on the samples beside it."""
    copies = subject[np.zeros(min(len(subject), 8), int)]
    alone = linked(compiled.outputs(copies, len(copies)), compiled.anatomy.link)
    beside = np.concatenate([alone[:1], given[1:]])
    if len(given) > 1 and not agree(compiled.anatomy, beside, given):
        raise ValueError(
            "Expected a sample's output to depend on that sample alone; "
            f"{compiled.anatomy.model.name!r} gives it another one beside other samples. Take out "
            "what joins the samples of a batch, such as a mean over its first axis."
        )
    return True


def _cause(anatomy: Anatomy, subject: Subject) -> str:
    """Say what most likely makes the explained function differ from the model, and the way out."""
    inputs = [
        ops.convert_to_tensor(array[:4])
        for array in (subject.values, subject.tokens, subject.static, subject.mask)
    ]
    twice = [ops.convert_to_numpy(run(anatomy, inputs, margin=False)) for _ in range(2)]
    if not agree(anatomy, *twice):
        names = [layer.name for layer in walk(anatomy.model) if draws(layer)]
        return (
            f"It gives the same samples other outputs at each call: layers {names} draw random "
            "numbers. Explain a model without them, such as one that goes on with the mean."
        )
    layers = [layer.name for layer in (*anatomy.embedding_layers, *anatomy.masking_layers)]
    return (
        f"Look at {layers or [anatomy.margin_at]}: ids that are read past the Embedding, or a mask "
        "that is made inside a layer, cannot be held. Explain a model that reads embedded words or "
        "takes the mask as an input."
    )


def subject_of(anatomy: Anatomy, inputs: Sequence[np.ndarray], observation: Observation) -> Subject:
    """Return samples in the form in which paths change them; raise if an output is not finite."""
    numbers, tokens, static, mask = inputs
    output = observation.output
    if output.dtype.kind not in "fiu":
        raise ValueError(
            f"Expected numbers as predictions; {anatomy.model.name!r} gives {output.dtype} values. "
            "Explain a model that gives the number which is compared."
        )
    if not np.isfinite(output).all():
        bad = int(np.argmin(np.isfinite(output.reshape(len(output), -1)).all(axis=1)))
        raise ValueError(
            f"Expected finite predictions; {anatomy.model.name!r} gives NaN or infinity, first for "
            f"sample {bad}. Check its weights (a diverged training) and the size of the inputs."
        )
    values = vectors_of(anatomy, observation) if tokens.shape[1] else numbers
    mask = mask & steps_read(anatomy, observation, mask.shape[1])
    return Subject(values, tokens, static, mask, observation.masks)


def vectors_of(anatomy: Anatomy, observation: Observation) -> np.ndarray:
    """Return what the calls that read words give, side by side: (sample, time, number)."""
    by_layer = dict(zip(anatomy.embedding_layers, observation.embedded, strict=True))
    vectors = [by_layer[layer][number][1] for layer, number in anatomy.embedding_calls]
    return np.concatenate(vectors, axis=-1, dtype=np.float32)
