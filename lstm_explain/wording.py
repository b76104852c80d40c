"""Text that is safe to draw: one line, no formulas, numbers with a real minus, breaks at spaces."""

from __future__ import annotations

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


def number(value: float) -> str:
    """Return a measurement with four digits and a real minus.

    Examples
    --------
    >>> number(7.38), number(1250.0), number(1e-9)
    ('7.38', '1250', '0')
    """
    # Standardising and back turns a zero into about 1e-8.
    return "0" if abs(value) < 1e-6 else f"{value:.4g}".replace("-", MINUS)


def fixed(number: float, decimals: int, sign: bool = False) -> str:
    """Return a number with so many decimals and a real minus; zero has no sign.

    Examples
    --------
    >>> fixed(0.126, 2, sign=True), fixed(0.126, 2), fixed(-0.001, 2)
    ('+0.13', '0.13', '0.00')
    """
    text = f"{number:{'+' if sign else ''}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def decimals(size: float) -> int:
    """Return with how many decimals a sum of this size, and what it is added to, is written.

    Examples
    --------
    >>> [decimals(size) for size in (123.4, 1.234, 0.1234, 0.001234)]
    [1, 2, 2, 4]
    """
    if size == 0 or not np.isfinite(size):
        return 2
    return min(max(1 - int(np.floor(np.log10(abs(size)))), 1 if abs(size) >= 10 else 2), 6)


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
