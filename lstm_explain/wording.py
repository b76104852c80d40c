"""Text that is safe to draw: one line, no formulas, numbers with a real minus, breaks at spaces."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def plain(text: object, longest: int = 60) -> str:
    r"""Return text from data as matplotlib should draw it: one line, no formulas, not too long.

    Examples
    --------
    >>> plain("price [$]")
    'price [\\$]'
    >>> plain("a name that goes on and on", longest=12)
    'a name that…'
    """
    return shortened(text, longest).replace("$", r"\$")


def shortened(text: object, longest: int = 60) -> str:
    """Return text from data on one line, not too long, for pages and tables.

    Examples
    --------
    >>> shortened("a name that goes on and on", longest=12)
    'a name that…'
    """
    line = " ".join(str(text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def as_read(text: str) -> str:
    """Return text of a figure for other places, without the backslashes that `plain` gave it.

    Examples
    --------
    >>> as_read(plain("price [$]"))
    'price [$]'
    """
    return text.replace(r"\$", "$")


def with_unit(name: object, unit: object, longest: int = 34) -> str:
    """Return ``name [unit]``, safe to draw; the name is cut where both are too long."""
    unit = plain(unit, 14)
    if not unit:
        return plain(name, longest)
    # Lines are not broken within a unit.
    return f"{plain(name, longest - len(unit) - 3)} [{unit.replace(' ', NO_BREAK)}]"


def row_names(names: Sequence[object], units: Sequence[object], longest: int = 34) -> list[str]:
    """Return names with units for the rows of a figure, cut in the middle where the ends differ.

    Examples
    --------
    >>> row_names(["a long name: first", "a long name: second", "x"], ["", "", "mg"], longest=14)
    ['a long… first', 'a long…second', 'x [mg]']
    """
    texts = [with_unit(name, unit, longest) for name, unit in zip(names, units, strict=True)]
    for at, text in enumerate(cut := list(texts)):
        if cut.count(text) > 1 and text != with_unit(names[at], units[at], 10_000):
            room = longest - len(with_unit("", units[at])) - 1
            name = " ".join(str(names[at]).split())
            middle = f"{name[: room - room // 2].rstrip()}…{name[-(room // 2) :]}"
            texts[at] = with_unit(middle, units[at], longest)
    return texts


def number(value: float, digits: int = 4) -> str:
    """Return a measurement with so many digits, its whole part at least, and a real minus.

    Examples
    --------
    >>> number(7.38), number(20035.2), number(-0.0), number(1.2346e-9).replace(MINUS, "-")
    ('7.38', '20035', '0', '1.235e-9')
    """
    value += 0.0  # zero has no sign
    text = f"{value:.{digits}g}"
    return _written(f"{value:.0f}" if "e+" in text and abs(value) < 1e15 else text)


def fact_text(
    name: object,
    numbers: Sequence[float],
    unit: object = "",
    labels: Mapping[float, str] | None = None,
    longest: int = 18,
) -> str:
    """Return a fact, before and after a change: its number, or the label where that is a code.

    Examples
    --------
    >>> fact_text("age", [64, 70], "years"), fact_text("sex", [1.0], labels={1: "male"})
    ('age = 64 → 70 years', 'sex: male')
    """
    texts = [label_of(one, labels or {}) for one in numbers]
    if all(texts):
        return f"{plain(name, longest)}: {' → '.join(plain(text, 30) for text in texts)}"
    change = " → ".join(told_apart(numbers, digits=4))
    return f"{plain(name, longest)} = {change} {plain(unit, 10)}".rstrip()


def label_of(code: float, labels: Mapping[float, str]) -> str:
    """Return the label of a code, to the digits that float32 keeps; "" where it has none."""
    near = (text for key, text in labels.items() if abs(key - code) <= 1e-5 * (1 + abs(key)))
    return next(near, "")


def told_apart(numbers: Sequence[float] | np.ndarray, digits: int = 6) -> list[str]:
    """Return numbers with so many digits, or with as many as tell different ones apart.

    Examples
    --------
    >>> told_apart([0.5, 100.25]), told_apart([20035.1, 20035.2], digits=4)
    (['0.5', '100.25'], ['20035.1', '20035.2'])
    """
    different = len(np.unique(numbers))
    while True:
        texts = [number(float(one), digits) for one in numbers]
        if digits >= 17 or len(set(texts)) >= different:  # float64 has 17
            return texts
        digits += 1


def fixed(number: float, decimals: int, sign: bool = False) -> str:
    """Return a number with so many decimals and a real minus; zero has no sign.

    Where there are more decimals than a reader counts, small numbers have an exponent.

    Examples
    --------
    >>> fixed(0.126, 2, sign=True), fixed(-0.001, 2), fixed(1.234e-8, 10).replace(MINUS, "-")
    ('+0.13', '0.00', '1.23e-8')
    """
    text = f"{number:{'+' if sign else ''}.{decimals}f}"
    if float(text) == 0:
        return text.lstrip("+-") if decimals <= 6 else "0"
    if decimals > 6 and abs(float(text)) < 1e-4:
        text = f"{number:{'+' if sign else ''}.{max(decimals + _exponent(float(text)), 0)}e}"
    return _written(text)


def _written(text: str) -> str:
    """Write a real minus, and an exponent without zeros: e-8."""
    return re.sub(r"e\+?(-?)0*", r"e\1", text).replace("-", MINUS)


def decimals(size: float, beside: float = 0.0) -> int:
    """Return with how many decimals a sum of this size, and what it is added to, is written.

    Parameters
    ----------
    size : float
    beside : float
        The largest number that it is written with: of seven digits, which float32 holds, the last
        is the last one that is written.

    Examples
    --------
    >>> [decimals(size) for size in (123.4, 1.234, 0.1234, 1.234e-8)], decimals(0.01234, 20_000)
    ([1, 2, 2, 9], 2)
    """
    if size == 0 or not np.isfinite(size):
        return 2
    places = max(1 - _exponent(size), 1 if abs(size) >= 10 else 2)
    return min(places, max(6 - _exponent(beside), 0)) if beside else places


def adding_up(total: float, parts: Sequence[float], places: int) -> list[float]:
    """Round parts so that they add up to the rounded total, as a reader adds what is written.

    Those with the largest remainders are rounded up, the others down.

    Examples
    --------
    >>> adding_up(0.992, [-0.664, 1.656], 2)
    [-0.66, 1.65]
    """
    unit = 10.0**-places
    exact = np.asarray(parts, float) / unit
    units = np.floor(exact)
    short = round(round(total, places) / unit) - int(units.sum())
    every, some = divmod(short, len(units))
    units += every
    units[np.argsort(np.floor(exact) - exact, kind="stable")[:some]] += 1
    return [round(float(one) * unit, places) for one in units]


def score_text(score: float, least: int = 3) -> str:
    """Return a score or a loss with at least so many decimals, more where it is small.

    Examples
    --------
    >>> score_text(0.8126), score_text(0.00012345)
    ('0.813', '0.00012')
    """
    return fixed(score, max(decimals(score), least))


def _exponent(size: float) -> int:
    return int(np.floor(np.log10(abs(size))))


def percent(share: float, places: int = 0) -> str:
    """Return a share as a percentage on one line.

    Examples
    --------
    >>> percent(0.1234, 1).replace(NO_BREAK, " ")
    '12.3 %'
    """
    return f"{fixed(100 * share, places)}{NO_BREAK}%"


def wrapped(text: str, width: int) -> str:
    """Break each line of a text into lines of about `width` letters."""
    # Only at spaces: a no-break space, and a hyphen in a name, hold.
    wrapper = textwrap.TextWrapper(max(width, 8), break_on_hyphens=False)
    return "\n".join(piece for line in text.split("\n") for piece in wrapper.wrap(line))


def packed(parts: Sequence[str], between: str, width: int) -> str:
    r"""Put parts on as few lines of about `width` letters as they fit on, unbroken if possible.

    Examples
    --------
    >>> packed(["died:", "prediction 1.2", "= base value 1.0"], " ", width=24)
    'died: prediction 1.2\n= base value 1.0'
    """
    lines: list[str] = []
    for part in parts:
        joined = lines[-1] + between + part if lines else part
        if lines and len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(wrapped(part, width))
    return "\n".join(lines)


def ink_on(background: str) -> str:
    """Return black or white, whichever is easier to read on a background.

    Examples
    --------
    >>> ink_on("#ffffff"), ink_on("#78160f")
    ('#000000', '#ffffff')
    """
    channels = np.array([int(background[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    # Relative luminance; the contrast with black and with white is equal at 0.179 (WCAG 2).
    return "#000000" if float(linear @ [0.2126, 0.7152, 0.0722]) > 0.179 else "#ffffff"
