"""Writes `reference/market.csv` and `reference/market_exception.csv` anew: `make sessions`.

The calendars are those of the library `exchange_calendars`, which needs pandas: so it stands in an
environment of its own (`sessions.lock`), and no run and no test imports it. Decision 23 says when
this is done.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import exchange_calendars

REFERENCE = Path(__file__).parent / "reference"
FIRST, YEARS_AHEAD = dt.date(2004, 1, 1), 1
MARKETS = {
    "XNYS": ("New York", "US"),
    "XTSE": ("Toronto", "CA"),
    "BVMF": ("Sao Paulo", "BR"),
    "XLON": ("London", "GB"),
    "XETR": ("Xetra, Frankfurt", "DE"),
    "XSWX": ("Zurich", "CH"),
    "XSTO": ("Stockholm", "SE"),
    "XAMS": ("Amsterdam", "NL"),
    "XPAR": ("Paris", "FR"),
    "XHKG": ("Hong Kong", "HK"),
    "XASX": ("Sydney", "AU"),
}
"""Markets by their MIC, on which funds are listed: name and country."""
ONE_DAY = dt.timedelta(days=1)
FRIDAY = 5


def weekdays(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, bool]]:
    """Yield every day, and whether it is one from Monday to Friday."""
    day = first
    while day <= last:
        yield day, day.isoweekday() <= FRIDAY
        day += ONE_DAY


def write(name: str, header: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Write a file of reference rows."""
    with (REFERENCE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def main() -> None:
    """Write the two files, up to the end of next year."""
    last = dt.date(dt.datetime.now(dt.UTC).year + YEARS_AHEAD, 12, 31)
    markets, exceptions = [], []
    for market, (name, country) in sorted(MARKETS.items()):
        known = exchange_calendars.get_calendar(market, start=str(FIRST), end=str(last))
        sessions = set(known.sessions.date)
        markets.append((market, name, country, str(known.tz), FIRST, last))
        exceptions += [
            (market, day, str(day in sessions).lower())
            for day, is_weekday in weekdays(FIRST, last)
            if is_weekday != (day in sessions)
        ]
    write("market.csv", "market,market_name,country,time_zone,first_day,last_day", markets)
    write("market_exception.csv", "market,day,is_open", exceptions)


if __name__ == "__main__":
    main()
