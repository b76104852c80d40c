"""``Subject``: the samples to explain as a model sees them, in arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Subject:
    """Samples in the form in which paths and coalitions change them.

    Attributes
    ----------
    values : float32 array (sample, time, feature)
        What is interpolated: measurements, or the embedded tokens.
    tokens : int32 array (sample, time)
        Token ids; width 0 where the sequence is numeric.
    static : float32 array (sample, static feature)
        Width 0 where there is none.
    mask : bool array (sample, time)
        Real steps: the data's own mask, less what the model masks of itself.
    layer_masks : tuple of bool arrays (sample, time)
        What each Masking layer of the model masks for the sample itself.
    """

    values: np.ndarray
    tokens: np.ndarray
    static: np.ndarray
    mask: np.ndarray
    layer_masks: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: np.ndarray | slice) -> Subject:
        return Subject(
            self.values[index],
            self.tokens[index],
            self.static[index],
            self.mask[index],
            tuple(mask[index] for mask in self.layer_masks),
        )

    def with_values(self, values: np.ndarray, static: np.ndarray) -> Subject:
        """Return the same samples with other values and static facts behind the same masks."""
        return replace(self, values=values, static=static)

    @property
    def arrays(self) -> tuple[np.ndarray | tuple[np.ndarray, ...], ...]:
        """The fields as a nested tuple, for a compiled function."""
        return (self.values, self.tokens, self.static, self.mask, self.layer_masks)
