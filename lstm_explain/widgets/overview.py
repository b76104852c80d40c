"""``explore_samples``: all samples in one picture, from which the reader goes to one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from ..arguments import check_type
from ..sequences.data import SequenceData
from ..sequences.words import UNKNOWN
from ..wording import label_of, number, percent, told_apart, with_unit
from .controls import WIDE_LABEL
from .explorer import Explorer, explore
from .frame import Frame
from .page import framed, picture_html
from .pictures import PICTURE_WIDTH, SamplesPicture
from .samples import Samples
from .text_explorer import TextExplorer

_MOST_LISTED = 200
_SLIDER = "lstm-explain-slider-threshold"


def explore_samples(
    model: Any,
    data: SequenceData,
    background: Any = None,
    *,
    columns: Mapping[str, Any] | None = None,
    guard: bool = True,
    **options: Any,
) -> SampleExplorer:
    """Show all samples, predicted against true, above the explorer of the one that is chosen.

    A click on a point, or a line of the list (the wrong, the certain but wrong, those unlike the
    training data), goes to that sample. Of two classes a slider moves the threshold, with the
    confusion matrix beside it.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData
        Samples to choose from, usually ``data.test``.
    background : SequenceData, Background, array, "zero" or "mean"
        What stands for "absent", usually ``data.train``; not needed for texts.
    columns : mapping of name to array (sample,), optional
        Further groups or numbers by which the points can be coloured, beside the size of the error,
        the distance from the training data, the static facts and the split.
    guard : bool
        Let Matplotlib's IPython hooks run on the main thread only, as `explore` does.
    **options
        What `explore` takes: `sample`, `output`, `scale`, `tolerance`, `training`, `inputs`.

    Returns
    -------
    SampleExplorer
        The last expression of a cell shows it; `explorer` is the explorer beneath.

    Raises
    ------
    TypeError, ValueError
        As `explore`; or a column has no value for each sample.

    Examples
    --------
    >>> explore_samples(run.model, data.test, background=data.train)  # doctest: +SKIP
    """
    check_type(Mapping, 'Give for example {"ward": wards}.', optional=True, columns=columns)
    further = {str(name): np.asarray(column) for name, column in (columns or {}).items()}
    for name, column in further.items():
        if isinstance(data, SequenceData) and column.shape != (len(data),):
            raise ValueError(
                f"Expected one value per sample, shape ({len(data)},), in the column {name!r}; "
                f"received shape {column.shape}. Select the same samples from it as from the data."
            )
    return SampleExplorer(explore(model, data, background, guard=guard, **options), further, guard)


class SampleExplorer(Frame):
    """A picture and a list of all samples above the explorer of one. See `explore_samples`.

    Attributes
    ----------
    explorer : Explorer or TextExplorer
    samples : Samples
        What is predicted of each, beside the truth.
    widget : ipywidgets.VBox
    """

    def __init__(
        self, explorer: Explorer | TextExplorer, further: Mapping[str, np.ndarray], guard: bool
    ) -> None:
        self.explorer, core = explorer, explorer.core
        self.samples = core.samples
        self._distances = distances_of(core)
        self._columns = colours_of(core, further, self._distances)
        look: Any = {"style": WIDE_LABEL, "layout": {"width": "auto", "max_width": "100%"}}
        self.kind = w.Dropdown(options=kinds_of(self.samples), description="List the", **look)
        self.list = w.Select(rows=6, description="", tooltip="Samples of the list")
        self.list.layout = {"width": "auto"}
        self.colour = w.Dropdown(options=[*self._columns], description="Colour", **look)
        self.threshold = w.IntSlider(
            min=1, max=99, value=50, description="Threshold", readout=False, style=WIDE_LABEL,
            layout={"width": "auto"},
        )  # fmt: skip
        self.threshold.add_class(_SLIDER)
        self.count, self.matrix = w.Label(), w.HTML()
        has_threshold = self.samples.probabilities.shape[1] == 2
        beside = [[self.kind, self.list, self.count], [self.colour]]
        beside[1] += [self.threshold, self.matrix] if has_threshold else []
        boxes = [w.VBox(one, layout={"flex": "1 1 220px", "max_width": "100%"}) for one in beside]
        self.image = w.Image(format="png")
        self._picture = self._new_picture()
        names = {_SLIDER: "Threshold"} if has_threshold else {}
        super().__init__(boxes, [framed(self.image, PICTURE_WIDTH)], names, {}, guard)
        self._show_list()
        self._draw()
        picture = picture_html(self._picture.png(level=9), self._words(), PICTURE_WIDTH)
        self._static = picture, f"{len(self.samples.shown):,} samples", self._words()
        self._on_change(
            {
                self.kind: lambda _: self._show_list(),
                self.list: self._go_to,
                self.colour: lambda _: self._in_worker(lambda _: self._draw()),
                self.threshold: self._decide,
            }
        )
        self._on_page({"hover": self._hover, "selection": self._select})
        explorer.controls.sample.observe(lambda _: self._show_state(), names="value")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until both pictures are up to date; return whether they are in time (seconds)."""
        return super().wait(timeout) and self.explorer.wait(timeout)

    def close(self) -> None:
        """End the workers and close all controls."""
        super().close()
        self.explorer.close()

    def _ipython_display_(self) -> None:
        super()._ipython_display_()
        self.explorer._ipython_display_()

    # -- from controls to what is seen -------------------------------------------------------------
    def _go_to(self, sample: int | None) -> None:
        if sample is not None:
            self.explorer.go_to(sample)

    def _decide(self, _: int) -> None:
        self._show_list()
        self._in_worker(lambda _: self._draw())

    def _show_list(self) -> None:
        """List the samples of the chosen kind at the present threshold."""
        listed = listed_samples(self.samples, self.kind.value, self._share, self._distances)
        few = listed[:_MOST_LISTED].tolist()
        with self._following():
            self.list.options = [(self.samples.text(at), at) for at in few]
        more = f"The first {len(few)} of {len(listed):,} samples"
        self.count.value = more if len(few) < len(listed) else f"{len(listed):,} samples"
        self._show_state()

    def _show_state(self) -> None:
        """Mark the sample of the explorer in the picture and in the list."""
        sample = self.explorer.state.sample
        with self._following():
            self.list.value = sample if sample in [at for _, at in self.list.options] else None
        # A sample whose truth is missing has no place.
        is_shown = np.isfinite(self._picture.places[sample]).all()
        self._live.marks = [self._picture.box(sample)] if is_shown else []
        self._live.readings = {_SLIDER: percent(self._share)}

    @property
    def _share(self) -> float:
        return float(self.threshold.value) / 100

    def _new_picture(self) -> SamplesPicture:
        name = self.colour.value
        return SamplesPicture(self.samples, name, *self._columns[name]())

    def _draw(self) -> None:
        if self._picture.name != self.colour.value:
            self._picture = self._new_picture()
        png = self._picture.at(self._share)
        with self.image.hold_sync():
            self.image.width, self.image.height = map(str, self._picture.size)
            self.image.value = png
        self.matrix.value = matrix_html(self.samples, self._share)
        self._show_state()
        self._say(self._words())

    def _words(self) -> str:
        samples, shown = self.samples, self.samples.shown
        ends = [percent(end) if samples.is_probability else number(end) for end in _ends(shown)]
        what = f"probability of {samples.output}" if samples.is_probability else samples.output
        text = f"{len(shown):,} samples; predicted {what} from {ends[0]} to {ends[1]}."
        if samples.truth is None:
            return text
        if not samples.is_probability:
            return f"{text} Median absolute error {number(float(np.nanmedian(samples.errors)), 3)}."
        wrong = int((samples.decided(self._share) != samples.truth).sum())
        at = f" at a threshold of {percent(self._share)}" * (samples.probabilities.shape[1] == 2)
        return f"{text} {wrong:,} of them are predicted wrong{at}."

    # -- what is touched ---------------------------------------------------------------------------
    def _hover(self, places: list[list[float]]) -> None:
        near = self._picture.nearest(*places[-1]) if places else None
        self._live.tip = {}
        if near is not None:
            colour = f"{self._picture.name}: {self._picture.colour_text(near)}"
            text = f"{self.samples.text(near)}; {colour}"
            self._live.tip = {"text": text, "box": self._picture.box(near)}

    def _select(self, places: list[list[float]]) -> None:
        near = self._picture.nearest(*places[0]) if places else None
        self._go_to(near)


def kinds_of(samples: Samples) -> list[str]:
    """Return the lists of samples that there are."""
    known = samples.truth is not None
    if samples.is_probability:
        return [*["certain but wrong", "wrong by little"] * known, "unusual", "most certain"]
    return [*["most wrong"] * known, "unusual", "highest prediction", "lowest prediction"]


def listed_samples(samples: Samples, kind: str, threshold: float, distances: Any) -> np.ndarray:
    """Return the positions of the samples of a kind, the most striking first.

    Parameters
    ----------
    samples : Samples
    kind : str
        Of `kinds_of`.
    threshold : float
        Between two classes.
    distances : callable
        Gives the distance of each sample from the training data.
    """
    every = np.arange(len(samples.shown))
    if kind == "unusual":
        return np.argsort(-distances(), kind="stable")
    if not samples.is_probability:
        sizes = {"highest prediction": samples.shown, "lowest prediction": -samples.shown}
        size = sizes.get(kind, samples.errors)
        return np.argsort(-np.nan_to_num(size, nan=-np.inf), kind="stable")
    certainty = samples.certainty(threshold)
    if samples.truth is not None and "wrong" in kind:
        every = every[samples.decided(threshold) != samples.truth]
    sign = 1 if kind == "wrong by little" else -1
    return every[np.argsort(sign * certainty[every], kind="stable")]


def distances_of(core: Any) -> Callable[[], np.ndarray]:
    """Return what computes once how unlike the training data each sample is; of texts the share of
    unknown words."""

    @cache
    def distances() -> np.ndarray:
        data = core.data
        if data.tokens is None:
            return core.familiarity.distances(data)
        unknown = (data.tokens == data.vocabulary.index(UNKNOWN)) & data.mask
        return unknown.sum(axis=1) / data.lengths

    return distances


def colours_of(
    core: Any, further: Mapping[str, np.ndarray], distances: Callable[[], np.ndarray]
) -> dict[str, Any]:
    """Return by what points can be coloured: name to a function of values and labels."""
    data, samples = core.data, core.samples
    colours: dict[str, Any] = {}
    if samples.truth is not None:
        colours["size of the error"] = lambda: (samples.errors, {})
    facts = data.display_static
    for position, name in enumerate(data.static_names):
        unit = with_unit(name, data.static_units[position])
        colours[unit] = partial(_kinds, facts[:, position], data.labels.get(name, {}))
    if data.split is not None and len(set(data.split)) > 1:
        colours["split"] = partial(_kinds, data.split, {})
    colours |= {name: partial(_kinds, column, {}) for name, column in further.items()}
    unlike = "unlike training" if data.tokens is None else "share of unknown words"
    return colours | {unlike: lambda: (distances(), {})}


def _kinds(values: np.ndarray, labels: Mapping[float, str]) -> tuple[np.ndarray, dict[float, str]]:
    """Return numbers, and names of them where they are codes or few texts."""
    if values.dtype.kind not in "fiub":
        texts, codes = np.unique(values.astype(str), return_inverse=True)
        return codes.astype(float), {float(code): str(text) for code, text in enumerate(texts)}
    codes = np.unique(values[np.isfinite(values.astype(float))]).astype(float)
    if not labels and len(codes) > 2:
        return values.astype(float), {}
    written = told_apart(codes, digits=4)
    return values.astype(float), {
        code: label_of(code, labels) or text
        for code, text in zip(codes.tolist(), written, strict=True)
    }


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def matrix_html(samples: Samples, threshold: float) -> str:
    """Return the confusion matrix of two classes at a threshold as HTML, escaped; "" without truth.

    With sensitivity, specificity and precision, each with its counts.
    """
    if samples.truth is None or samples.probabilities.shape[1] != 2:
        return ""
    decided, truth = samples.decided(threshold), samples.truth
    counts = np.array([[(decided[truth == t] == d).sum() for d in (0, 1)] for t in (0, 1)])
    names = [escape(name) for name in samples.classes]
    head = "".join(f'<th scope="col">predicted {name}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">truly {name}</th>'
        + "".join(f'<td style="text-align:right">{count:,}</td>' for count in row)
        + "</tr>"
        for name, row in zip(names, counts, strict=True)
    )
    (right_0, false_1), (false_0, right_1) = counts
    shares = (
        ("sensitivity", right_1, right_1 + false_0, f"truly {names[1]}"),
        ("specificity", right_0, right_0 + false_1, f"truly {names[0]}"),
        ("precision", right_1, right_1 + false_1, f"predicted {names[1]}"),
    )
    lines = "".join(
        f"<div>{name} {percent(part / whole) if whole else 'not known'} "
        f"({part:,} of {whole:,} {of})</div>"
        for name, part, whole, of in shares
    )
    return (
        f'<div role="status" style="line-height:1.4"><table><caption style="text-align:left">'
        f"{escape(samples.output)} from {percent(threshold)} on</caption>"
        f"<tr><td></td>{head}</tr>{rows}</table>{lines}</div>"
    )
