"""Text that is safe to draw: one line, no formulas, numbers with a real minus, breaks at spaces."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

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
    line = " ".join(str(text).split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return line.replace("$", r"\$")


def with_unit(name: object, unit: object, longest: int = 34) -> str:
    """Return ``name [unit]``, safe to draw; the name is cut where both are too long."""
    unit = plain(unit, 14)
    if not unit:
        return plain(name, longest)
    # Lines are not broken within a unit.
    return f"{plain(name, longest - len(unit) - 3)} [{unit.replace(' ', NO_BREAK)}]"


def number(value: float, digits: int = 4) -> str:
    """Return a measurement with so many digits, its whole part at least, and a real minus.

    Examples
    --------
    >>> number(7.38), number(20035.2), number(1.2346e-9).replace(MINUS, "-")
    ('7.38', '20035', '1.235e-9')
    """
    text = f"{value:.{digits}g}"
    return _written(f"{value:.0f}" if "e+" in text and abs(value) < 1e15 else text)


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
