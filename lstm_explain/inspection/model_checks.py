"""What a model does with samples that no explanation can put right: it is refused or warned of."""

from __future__ import annotations

import warnings

import numpy as np

from .anatomy import Anatomy, walk
from .compiled import Compiled, Subject
from .observation import agree

# A move in units of a feature's spread, and a change in units of the output's that it cannot make
# where the output is smooth.
_SMALL_MOVE, _JUMP = 1e-5, 1e-3


class PaddingWarning(UserWarning):
    """Padding counts: the model reads it, or has a mask of its own that cannot be held."""


def check_depends_on_input(
    anatomy: Anatomy, compiled: Compiled, subject: Subject, raw: np.ndarray, batch_size: int
) -> None:
    """Raise if the output is the same for every sample, and for samples with noise added."""
    # Not to the last bit: a row may be computed by other instructions than the row beside it.
    rounding = 4 * np.finfo(np.float32).eps * np.abs(raw).max()
    if np.ptp(raw, axis=0).max() > rounding:
        return
    few = subject[:4]
    moved = few.with_values(*few.with_noise(few.feature_sizes))
    change = np.abs(compiled.outputs(moved, batch_size) - raw[: len(few)]).max()
    if change <= rounding:
        raise ValueError(
            f"Expected an output that depends on the input; {anatomy.model.name!r} gives the same "
            "for all samples, and for samples with noise added. Check its weights and wiring, and "
            "whether unscaled numbers drive its units to their limits (data.standardise())."
        )


def warn_if_padding_is_read(
    anatomy: Anatomy, compiled: Compiled, subject: Subject, batch_size: int
) -> None:
    """Warn if other numbers in the padding change the predictions; the message says how much."""
    padded = np.flatnonzero(~subject.mask.all(axis=1))[:16]
    if len(padded) == 0:
        return
    some = subject[padded]
    noisy = np.where(some.mask[..., None], some.values, some.with_noise(1.0)[0])
    before = compiled.outputs(some, batch_size)
    after = compiled.outputs(some.with_values(noisy, some.static), batch_size)
    if before.ndim == 3 and before.shape[1] == some.mask.shape[1]:
        before, after = (margins * some.mask[..., None] for margins in (before, after))
    by_output = [np.abs(a).reshape(-1, a.shape[-1]).max(axis=0) for a in (after - before, before)]
    if (by_output[0] > 1e-4 * by_output[1]).any():  # they may be in units of different sizes
        effect = float(by_output[0].max())
        warnings.warn(
            f"Expected a model that ignores padded steps; standard normal noise in the padding of "
            f"{len(padded)} samples moved the margin of {anatomy.model.name!r} by up to "
            f"{effect:.3g}. Predictions then depend on how long the padding is; padded steps are "
            "held at the samples' own values and get no attribution. Mask them with a Masking "
            "layer, mask_zero=True or a mask input, after any layer that drops the mask.",
            PaddingWarning,
            stacklevel=4,
        )


def warn_if_mask_is_hidden(
    anatomy: Anatomy, compiled: Compiled, subject: Subject, raw: np.ndarray, batch_size: int
) -> None:
    """Warn if the smallest move of the values makes the output jump, as a mask made of them does.

    Features of whole numbers, which may be ids, stay, but for steps of one number throughout.
    """
    values = subject.values
    sizes = values.std(axis=(0, 1))
    sizes = np.where(sizes > 0, sizes, np.maximum(np.abs(values).max(axis=(0, 1)), 1))
    is_padding_like = (values == values[..., :1]).all(axis=-1, keepdims=True)
    moves = subject.mask[..., None] & (is_padding_like | (values % 1 != 0).any(axis=(0, 1)))

    def after(move: float) -> np.ndarray:
        moved = (values + move * sizes * moves).astype(np.float32)
        return compiled.outputs(subject.with_values(moved, subject.static), batch_size)

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        return 0.0 if agree(anatomy, one, other) else float(np.abs(one - other).max())

    up = after(_SMALL_MOVE)
    jump = apart(up, raw)
    # A tenth of the move makes a tenth of the change where the output is smooth, and any other
    # change where gradients explode. A mask changes alike to both sides, or to one alone.
    if (
        jump > _JUMP * float(raw.std(axis=0).max())
        and apart(after(_SMALL_MOVE / 10), up) < jump / 2
        and min(apart(down := after(-_SMALL_MOVE), up), apart(down, raw)) < jump / 2
    ):
        layers = walk(anatomy.model)
        names = [one.name for one in layers if not type(one).__module__.startswith("keras.")]
        warnings.warn(
            f"Expected an output that moves little with its inputs; moving the values by "
            f"{_SMALL_MOVE:.0e} of their spread made the margin of {anatomy.model.name!r} jump by "
            f"up to {jump:.3g}. A mask that a layer computes inside its call, such as any(x != 0), "
            f"does so{f' (look at {names})' if names else ''}: it cannot be held, and its padding "
            "gets attribution. Compute it with a Masking layer or take it as a mask input.",
            PaddingWarning,
            stacklevel=4,
        )
