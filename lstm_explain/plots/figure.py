"""The figure of every plot: sharp in a notebook, and with text for readers who do not see it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..wording import as_read

# Pixels for each one on the page, as screens have today; a figure of more has fewer.
_SHARP, _MOST_PIXELS = 2.0, 6e6
_COLOURS = 256


class PlotFigure(Figure):
    """A figure that a notebook shows at twice the resolution, with an alternative text.

    Only what a notebook shows is different: windows, and files by `savefig`, are as of any figure.

    Attributes
    ----------
    alt : str
        What the figure shows, in a sentence or two.
    """

    alt: str = ""

    def _ipython_display_(self) -> None:
        # IPython asks for this first; the picture that it would make has neither.
        from IPython.display import display

        data, size = png_of(self)
        # "alt" stands where IPython's own images have theirs: nbconvert's classic page reads it,
        # JupyterLab 4.6 gives no picture a text yet.
        bundle = {"image/png": data, "text/plain": self.alt or repr(self)}
        display(bundle, raw=True, metadata={"image/png": {**size, "alt": self.alt}})


def png_of(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """Return the picture as PNG, and the width and height at which a page should show it.

    It has 256 colours: at twice the resolution about as many bytes as once with all.
    """
    from PIL import Image

    pixels = figure.bbox.width * figure.bbox.height
    sharp = min(_SHARP, max((_MOST_PIXELS / pixels) ** 0.5, 1.0))
    drawn, file = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=sharp * figure.dpi, bbox_inches="tight")
    with Image.open(drawn) as image:
        size = {"width": round(image.width / sharp), "height": round(image.height / sharp)}
        if image.convert("RGBA").getchannel("A").getextrema() != (
            255,
            255,
        ):  # what shines through stays
            return drawn.getvalue(), size
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(file, format="png")
    return file.getvalue(), size


def describe(ax: Axes, kind: str, *facts: str) -> None:
    """Give the figure of `ax` an alternative text, if it is one of these plots alone.

    Parameters
    ----------
    kind : str
        What sort of picture it is: "Heat map of SHAP values".
    facts : str
        Title, notes and what else it shows, as they are drawn.
    """
    figure: Any = ax.get_figure(root=True)
    if isinstance(figure, PlotFigure):
        texts = (as_read(" ".join(fact.split())) for fact in (kind, *facts))
        sentences = (f"{text}." for text in texts if text)
        # A figure of two texts has two headings.
        figure.alt = " ".join(filter(None, (figure.alt, *sentences)))
