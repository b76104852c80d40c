"""Derivatives of a model's output: the only code that differs between Keras's backends."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..backend import keras, ops


class DeepExplainerWarning(UserWarning):
    """A failed ``shap.DeepExplainer`` had broken TensorFlow's gradients, which are mended now."""


def compile_gradient(
    function: Callable[..., Any], model: Any, *, each: bool = False
) -> Callable[..., Any]:
    """Compile ``function(point, *others) -> outputs (row,), extras`` together with its gradient.

    `point` is a tuple of arrays that the sum of the outputs is differentiated by; an empty one
    gives the outputs alone. The compiled function returns (outputs, gradients, extras). With
    `each`, the outputs are (output, row), and the gradients have one of each output in front: the
    function itself runs once for all of them. The model's weights are read at every call, so that
    an explanation follows further training.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _compile_tensorflow(function, each)
    if backend == "jax":
        return _compile_jax(function, model, each)
    if backend == "torch":
        return _compile_torch(function, each)
    raise NotImplementedError(
        f"Expected Keras on TensorFlow, JAX or PyTorch; received backend {backend!r}. Set "
        "KERAS_BACKEND before importing keras."
    )


def _compile_tensorflow(function: Callable[..., Any], each: bool) -> Callable[..., Any]:
    import tensorflow as tf

    @tf.function(autograph=False)
    def run(point: Any, *others: Any) -> Any:
        none = tf.UnconnectedGradients.ZERO
        with tf.GradientTape(persistent=each, watch_accessed_variables=False) as tape:
            tape.watch(point)
            outputs, extras = function(point, *others)
            sums = tf.reduce_sum(outputs, axis=-1) if each else outputs
        if each:  # one after the other: pfor would hold what all of them compute
            options = {"unconnected_gradients": none, "experimental_use_pfor": False}
            return outputs, tape.jacobian(sums, point, **options), extras
        return outputs, tape.gradient(sums, point, unconnected_gradients=none), extras

    traced: dict[Any, Any] = {}

    def call(*arrays: Any) -> Any:
        _undo_deep_explainer()
        arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)
        flat = tf.nest.flatten(arrays)
        # Kept here: through tf.function itself, TensorFlow would warn of retracing as soon as a few
        # models have been explained in one process.
        any_number = tuple((tuple(array.shape[1:]), array.dtype) for array in flat)
        exact = tuple((tuple(array.shape), array.dtype) for array in flat)
        if any_number not in traced and exact not in traced:
            try:  # one trace for any number of samples, rows and nodes
                traced[any_number] = run.get_concrete_function(
                    *tf.nest.map_structure(
                        lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), arrays
                    )
                )
            except (TypeError, ValueError):  # a layer that needs to know the number
                traced[exact] = run.get_concrete_function(*arrays)
        return traced[exact if exact in traced else any_number](*arrays)

    return call


def _undo_deep_explainer() -> None:
    """Give TensorFlow its own gradients back where ``shap.DeepExplainer`` has left it without.

    DeepExplainer replaces TensorFlow's recording of gradients and does not put it back when it
    fails, as it does on recurrent Keras 3 models. From then on, training fails in the same process.
    """
    from tensorflow.python.eager import backprop, execute  # the place that shap replaces

    original = backprop.record_gradient
    if execute.record_gradient is not original:
        execute.record_gradient = original
        warnings.warn(
            "A failed shap.DeepExplainer had left TensorFlow without its gradients in this "
            "session, so that training would fail too. They have been put back. DeepExplainer "
            "cannot explain recurrent Keras 3 models; lx.explain can.",
            DeepExplainerWarning,
            stacklevel=2,
        )


def _compile_jax(function: Callable[..., Any], model: Any, each: bool) -> Callable[..., Any]:
    import jax

    @jax.jit
    def run(weights: Any, point: Any, others: Any) -> Any:
        def summed(point: Any) -> Any:
            scope = keras.StatelessScope(list(zip(model.variables, weights, strict=True)))
            with scope:
                outputs, extras = function(point, *others)
            return ops.sum(outputs, axis=-1), (outputs, extras)

        sums, pulled_back, (outputs, extras) = jax.vjp(summed, point, has_aux=True)
        if each:
            one_each = ops.eye(sums.shape[0], dtype=sums.dtype)
            return outputs, jax.lax.map(lambda one: pulled_back(one)[0], one_each), extras
        return outputs, pulled_back(ops.ones_like(sums))[0], extras

    # The weights are arguments: a jitted closure would keep those of its first call.
    return lambda point, *others: run([v.value for v in model.variables], tuple(point), others)


def _compile_torch(function: Callable[..., Any], each: bool) -> Callable[..., Any]:
    import torch

    def run(point: Any, *others: Any) -> Any:
        leaves = [ops.convert_to_tensor(p).detach().clone().requires_grad_() for p in point]
        # cuDNN's recurrent kernels refuse to differentiate a model that is not training.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            outputs, extras = function(
                tuple(leaves), *keras.tree.map_structure(ops.convert_to_tensor, others)
            )
            gradients: Any = ()
            if leaves:
                sums = outputs.sum(dim=-1)
                gradients = [
                    torch.autograd.grad(
                        one, leaves, allow_unused=True, materialize_grads=True, retain_graph=each
                    )
                    for one in (sums if each else [sums])
                ]
                by_leaf = zip(*gradients, strict=True)
                gradients = [torch.stack(parts) for parts in by_leaf] if each else gradients[0]
        extras = keras.tree.map_structure(lambda extra: extra.detach(), extras)
        return outputs.detach(), gradients, extras

    return run
