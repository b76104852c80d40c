"""Daily prices of a stock market, as windows from which to forecast its volatility."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from ...arguments import check_type, check_whole
from ...sequences.columns import columns_as_numbers
from ...sequences.data import SequenceData

SYMBOLS = ("sp500", "nasdaq")
PRICES = ("Open", "High", "Low", "Close")
COLUMNS = (*PRICES, "Volume")
FEATURES = {
    "log variance": "log %²",
    "return": "%",
    "downside return": "%",
    "range": "%",
    "relative volume": "log ratio",
}
MONTH = 22  # trading days
# (0.01 %)²: a day on which no price moved has no logarithm. No day of the two indices comes near.
SMALLEST_VARIANCE = 1e-4
# Built-in histories: the first days of validation (the financial crisis) and of test.
BOUNDARIES = ("2008-01-01", "2010-01-01")


def load_market(
    symbol: str | Path | pd.DataFrame = "sp500",
    *,
    window: int = 60,
    horizon: int = 5,
    validation: str | None = None,
    test: str | None = None,
) -> SequenceData:
    """Load daily prices as windows whose target is the volatility of the coming days.

    The target is the log of the mean daily variance of the next `horizon` trading days, in log %²
    (0 is a volatility of 1 % a day). Each window holds, for the `window` days up to and including
    its last one: the log of the daily variance, the return, the return where it is negative, the
    range from low to high, and the log of the volume relative to its mean of the last 22 days. All
    are known when the last day closes, and standardised on the training part.

    Parameters
    ----------
    symbol : {"sp500", "nasdaq"}, path of a CSV file, or DataFrame
        A built-in index, 1999 to 2018, real and without a download; or your own daily prices with
        the columns Date (or dates as the index), Open, High, Low, Close and Volume, oldest first,
        adjusted for splits.
    window : int
        Days in a sample.
    horizon : int
        Days ahead in the target. So many samples before each boundary are left out, so that no
        target reaches into the next part.
    validation, test : str, optional
        First date of each part. Default: 2008-01-01 and 2010-01-01 for the built-in indices; for
        your own prices the dates that cut 60, 20 and 20 % of the samples.

    Returns
    -------
    SequenceData
        Split and standardised.

    Raises
    ------
    ValueError
        The prices cannot be read or are impossible, or are too few: the message says which.
    FileNotFoundError
        There is no such file.
    ImportError
        A built-in index is asked for and the package arch, which carries it, is not installed.

    Notes
    -----
    Until 2006 this S&P 500 history opens each day at the close before, so the move overnight is
    part of the day's range. That is why nothing here is a feature of the night alone.

    Examples
    --------
    >>> load_market("sp500")
    SequenceData 'sp500': 4936 samples x 60 steps x 5 features, target log variance of the next \
5 days, train 2177 / validation 500 / test 2259
    """
    usual = "Usual choices are window=60 and horizon=5."
    check_whole(least=1, remedy=usual, window=window, horizon=horizon)
    if (validation is None) != (test is None):
        raise ValueError(
            f"Expected both validation and test, or neither; received validation={validation!r}, "
            f"test={test!r}. Give the first date of each part."
        )
    prices, name = _find_prices(symbol)
    table = market_table(read_prices(prices), horizon)
    target = table.columns[-1]
    # The first rows have no month of volume behind them.
    table = table.iloc[MONTH - 1 :]
    if len(table) < window + horizon:
        raise ValueError(
            f"Expected at least {MONTH - 1 + window + horizon} days of prices for one window of "
            f"{window} days with its target; received {len(prices)}. Use a shorter window=... or "
            "a longer history."
        )
    data = SequenceData.from_frame(
        table.reset_index(names="date"),
        time="date",
        features=list(FEATURES),
        target=target,
        window=window,
        horizon=horizon,
        units=FEATURES,
        name=name,
    )
    if validation is None or test is None:
        ends = table.index[window - 1 : len(table) - horizon]
        shares = [ends[len(ends) * percent // 100] for percent in (60, 80)]
        validation, test = BOUNDARIES if name in SYMBOLS else shares
    # Windows may begin before their part: on a day to forecast, all days before it are known.
    data = data.split_by_time(validation=validation, test=test, gap=horizon)
    return replace(data.standardise(), target_unit="log %²")


def daily_variance(prices: pd.DataFrame) -> pd.Series:
    """Estimate each day's variance from its four prices, in %².

    Squared overnight log return plus the intraday estimate of Garman and Klass,
    ``0.5 ln(high / low)² - (2 ln 2 - 1) ln(close / open)²``. The first day has no night before it
    and is NaN.

    References
    ----------
    Garman and Klass (1980), "On the Estimation of Security Price Volatilities from Historical
    Data", Journal of Business 53, their "practical" estimator, equation 20.

    Examples
    --------
    >>> prices = pd.DataFrame({"Open": [100.0, 100.0], "High": [100.0, 101.0],
    ...                        "Low": [100.0, 99.0], "Close": [100.0, 100.0]})
    >>> daily_variance(prices).round(3).tolist()
    [nan, 2.0]
    """
    overnight = np.log(prices["Open"] / prices["Close"].shift())
    high_low = np.log(prices["High"] / prices["Low"])
    open_close = np.log(prices["Close"] / prices["Open"])
    intraday = 0.5 * high_low**2 - (2 * np.log(2) - 1) * open_close**2
    return 1e4 * (overnight**2 + intraday)


def market_table(prices: pd.DataFrame, horizon: int = 5) -> pd.DataFrame:
    """Return one row per day: what is known at its close, and last the target of the days after.

    Columns are those of `FEATURES`; the target is NaN on the last `horizon` days.
    """
    variance = daily_variance(prices)
    log_return = 100 * np.log(prices["Close"]).diff()
    # A day reported without volume says nothing about trading: the volume before it stands.
    volume = prices["Volume"].where(prices["Volume"] > 0).ffill().fillna(1.0)
    # A rolling mean that ends `horizon` days later is the mean of the days after this one.
    ahead = variance.rolling(horizon).mean().shift(-horizon)
    columns = {
        "log variance": _log_variance(variance),
        "return": log_return,
        "downside return": log_return.clip(upper=0),
        "range": 100 * np.log(prices["High"] / prices["Low"]),
        "relative volume": np.log(volume / volume.rolling(MONTH).mean()),
        f"log variance of the next {horizon} days": _log_variance(ahead),
    }
    return pd.DataFrame(columns, index=prices.index)


def read_prices(prices: pd.DataFrame) -> pd.DataFrame:
    """Check daily prices and return them as numbers under the names of `COLUMNS`, by date.

    Raises
    ------
    ValueError
        A column is missing, a date or number cannot be read, or the prices are impossible.
    """
    # Sources differ in capitals only: "Close", "close", "CLOSE".
    frame = prices.rename(columns={c: str(c).strip().capitalize() for c in prices.columns})
    if isinstance(frame.index, pd.DatetimeIndex) and "Date" not in frame.columns:
        frame = frame.rename_axis("Date").reset_index()
    missing = [name for name in ("Date", *COLUMNS) if name not in frame.columns]
    if missing:
        raise ValueError(
            f"Expected the columns {['Date', *COLUMNS]}; {missing} missing, received "
            f"{[str(c) for c in prices.columns]}. Rename your columns; dates may also be the index."
        )
    table = pd.DataFrame(
        columns_as_numbers(frame, COLUMNS), columns=list(COLUMNS), index=_read_dates(frame["Date"])
    )
    _refuse(
        ~np.isfinite(table).all(axis=1),
        "a finite number in every cell",
        table,
        "Drop days without trading with frame.dropna(), or mend them",
    )
    _refuse((table[list(PRICES)] <= 0).any(axis=1), "prices above 0", table)
    _refuse(table["Volume"] < 0, "volumes of 0 or more", table)
    _refuse(table["High"] < table["Low"], "High of at least Low", table)
    # Rounding and dividend adjustment may move a close past the range by a hair.
    middle = table[["Open", "Close"]]
    outside = (middle.max(axis=1) > 1.001 * table["High"]) | (
        middle.min(axis=1) < 0.999 * table["Low"]
    )
    _refuse(outside, "Open and Close between Low and High", table)
    jump = np.log(table["Open"] / table["Close"].shift()).abs() > np.log(1.9)
    if jump.any():
        warnings.warn(
            f"The price about halved or doubled overnight on {table.index[jump][0]:%Y-%m-%d}: if "
            "that was a share split, adjust the prices for it, or it counts as volatility.",
            stacklevel=3,
        )
    return table


def _find_prices(symbol: str | Path | pd.DataFrame) -> tuple[pd.DataFrame, str]:
    if isinstance(symbol, pd.DataFrame):
        return symbol, "market"
    remedy = f"Give one of {list(SYMBOLS)}, or your own prices as a file or DataFrame."
    check_type((str, Path, pd.DataFrame), remedy, symbol=symbol)
    if symbol in SYMBOLS:
        try:
            return import_module(f"arch.data.{symbol}").load(), str(symbol)
        except ImportError as error:
            raise ImportError(
                f"Expected the package arch, which carries the {symbol} history; it is not "
                "installed. Run: pip install arch. Or give a CSV file or DataFrame of your own."
            ) from error
    path = Path(symbol)
    if path.is_file():
        return pd.read_csv(path), path.stem
    if isinstance(symbol, Path) or path.suffix or len(path.parts) > 1:
        raise FileNotFoundError(
            f"Expected a CSV file of daily prices; found no file {str(symbol)!r}. Check the path."
        )
    raise ValueError(
        f"Expected one of {list(SYMBOLS)}, a CSV file or a DataFrame; received {symbol!r}. For "
        "another market, give its prices as a file or DataFrame."
    )


def _read_dates(column: pd.Series) -> pd.DatetimeIndex:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        dates = pd.DatetimeIndex(column).tz_localize(None).normalize()
    else:
        # Only the day counts: an hour and its zone, which changes in summer, are cut off.
        days = column.astype(str).str.strip().str.slice(0, 10)
        dates = pd.DatetimeIndex(pd.to_datetime(days, format="%Y-%m-%d", errors="coerce"))
    if dates.isna().any():
        received = column[np.asarray(dates.isna())].iloc[0]
        raise ValueError(
            f"Expected dates such as 2008-01-31; received {received!r}. Convert the column with "
            "pandas.to_datetime(..., format=...)."
        )
    steps = np.diff(dates)
    for wrong, problem, remedy in (
        (steps < np.timedelta64(0), "dates oldest first", "Sort the rows by date"),
        (steps == np.timedelta64(0), "each date once", "Keep one row per day"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"Expected {problem}; received {dates[row + 1]:%Y-%m-%d} after "
                f"{dates[row]:%Y-%m-%d}. {remedy}."
            )
    return dates


def _refuse(
    wrong: pd.Series, expected: str, table: pd.DataFrame, remedy: str = "Mend or drop such days"
) -> None:
    if wrong.any():
        day = table.index[wrong][0]
        cells = ", ".join(f"{name} {value:g}" for name, value in table.loc[day].items())
        raise ValueError(f"Expected {expected}; received {cells} on {day:%Y-%m-%d}. {remedy}.")


def _log_variance(variance: pd.Series) -> pd.Series:
    return np.log(variance.clip(lower=SMALLEST_VARIANCE))
