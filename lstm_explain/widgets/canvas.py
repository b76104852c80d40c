"""A figure whose unchanging part is kept as pixels, so that a change is drawn in milliseconds."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Canvas:
    """Draw a figure once, and on top of its pixels the artists that move.

    Nothing here knows pyplot, so that no cell's figures are touched.

    Parameters
    ----------
    width, height : float
        Inches.
    dpi : int
        Pixels per inch.
    """

    def __init__(self, width: float, height: float, dpi: int) -> None:
        self.figure = Figure((width, height), dpi=dpi, layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving: list[Artist] = []
        self._kept: Any = None
        self._limits: dict[str, tuple[float, float]] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    def moving(self, artist: Any) -> Any:
        """Let an artist be drawn anew each time, in the order of these calls; return it."""
        self._moving.append(artist)
        return artist

    def forget(self) -> None:
        """Draw everything anew next time: something moved that is not among the moving artists."""
        self._kept = None

    def widened(self, key: str, numbers: np.ndarray, room: float = 0.0) -> tuple[float, float]:
        """Return limits that hold these numbers, and all that came before under this key.

        Parameters
        ----------
        key : str
            Whose limits they are.
        numbers : array
            NaN is left out.
        room : float
            Share of the span that is left free at both ends, other than at 0.
        """
        known = numbers[np.isfinite(numbers)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        old = self._limits.get(key)
        if old is not None and old[0] <= low and high <= old[1]:
            return old
        pad = room * (high - low)
        low, high = low - pad * (low != 0), high + pad * (high != 0)
        if old is not None:  # by more than is needed, so that not every change widens them
            more = 0.2 * (max(high, old[1]) - min(low, old[0]))
            low = low - more if low < old[0] else old[0]
            high = high + more if high > old[1] else old[1]
        self._limits[key] = (low, high)
        self.forget()
        return low, high

    def png(self, level: int = 1) -> bytes:
        """Return the picture as PNG, compressed in haste (level 1) or well (9)."""
        if self._kept is None:
            shown = [artist.get_visible() for artist in self._moving]
            for artist in self._moving:
                artist.set_visible(False)
            self._canvas.draw()
            self._kept = self._canvas.copy_from_bbox(self.figure.bbox)
            for artist, visible in zip(self._moving, shown, strict=True):
                artist.set_visible(visible)
        self._canvas.restore_region(self._kept)
        for artist in self._moving:
            artist.draw(self._canvas.get_renderer())
        return png_of(np.asarray(self._canvas.buffer_rgba()), level)


def png_of(pixels: np.ndarray, level: int = 1) -> bytes:
    """Write pixels (row, column, 4) as PNG without transparency.

    In about half the time of Pillow, which chooses a filter for each row: in large plain areas none
    is needed.
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with 0: not filtered
    rows[:, 1:] = pixels[..., :3].reshape(height, -1)
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), level)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
